"""An implicit layer with softmax over tasks: what stage 1's classifier is compared with.

El Ghaoui et al. 2021 (arXiv 1908.06315); Decugis et al. 2024 (arXiv 2407.14430).
Shapes: N prompts, K other prompts, F features, T tasks, S states.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from components.heads.classifier import ClassifierReport, fit_temperature, recognition
from components.heads.implicit.head import ImplicitHead, to_head
from components.heads.implicit.layer import ImplicitConfig, ImplicitLayer, ImplicitStatistics
from components.heads.losses import class_weights
from components.heads.training import FitConfig, fit, seeded


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitClassifierConfig:
    """The layer and its training."""

    layer: ImplicitConfig = field(
        default_factory=lambda: ImplicitConfig(fit=FitConfig(epochs=30, patience=4, weight_decay=0.05))
    )
    balance: float = 0.5
    """In [0, 1]; 0: every prompt counts the same in the loss, 1: every task counts the same."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.balance <= 1:
            raise ValueError(f"balance must be in [0, 1], got {self.balance}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImplicitClassifier:
    """A trained layer and the temperature of its logits."""

    head: ImplicitHead
    temperature: float
    """> 0."""

    def posterior(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probability of each task, shape (N, T).

        Raises:
            ValueError: features don't match or aren't finite.
            NotConverged: a sample's state didn't settle.
        """
        logits_NT = self.head.logits(features_NF) / self.temperature
        weight_NT = np.exp(logits_NT - logits_NT.max(axis=1, keepdims=True))
        posterior_NT: NDArray[np.float64] = weight_NT / weight_NT.sum(axis=1, keepdims=True)
        return posterior_NT


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitClassifierReport:
    """How well tasks are recognised, and how well-posed the layer is."""

    recognition: ClassifierReport
    statistics: ImplicitStatistics


def train_implicit_classifier(
    features_NF: NDArray[np.float32],
    task_N: NDArray[np.int32],
    validation_features_KF: NDArray[np.float32],
    validation_task_K: NDArray[np.int32],
    config: ImplicitClassifierConfig = ImplicitClassifierConfig(),
) -> tuple[ImplicitClassifier, ImplicitClassifierReport]:
    """Trained on prompts that have a task, by weighted cross-entropy; others that have one stop it and calibrate it.

    Args:
        features_NF: finite.
        task_N: training tasks; -1: none. T is the highest + 1, >= 1.
        validation_features_KF: features of other prompts.
        validation_task_K: their tasks; -1: none.
        config: see ImplicitClassifierConfig.

    Raises:
        ValueError: rows don't match, a feature isn't finite, there is no task, or one is unknown in training.
        NotConverged: a fixed point wasn't found.
    """
    for name, features, task in (
        ("training", features_NF, task_N),
        ("validation", validation_features_KF, validation_task_K),
    ):
        if features.ndim != 2 or features.shape[0] != task.shape[0] or features.shape[1] != features_NF.shape[1]:
            raise ValueError(f"{name} features {features.shape} don't match tasks {task.shape}")
        if not np.isfinite(features).all():
            raise ValueError(f"{name} features hold nan or infinite values")
    tasks = int(task_N.max(initial=-1)) + 1
    if tasks == 0:
        raise ValueError("no prompt has a task")
    if int(validation_task_K.max(initial=-1)) >= tasks:
        raise ValueError(f"validation task {validation_task_K.max()} isn't among the {tasks} tasks of training")

    def known(features: NDArray[np.float32], task: NDArray[np.int32]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.tensor(features[task >= 0]), torch.tensor(task[task >= 0], dtype=torch.int64)

    with seeded(config.seed):
        layer = ImplicitLayer(features_NF.shape[1], tasks, config.layer)
    training, validation = known(features_NF, task_N), known(validation_features_KF, validation_task_K)
    weight_T = class_weights(training[1], tasks, config.balance)
    report = fit(
        layer,
        lambda batch: functional.cross_entropy(layer(batch[0]), batch[1], weight=weight_T),
        training,
        validation,
        config.layer.fit,
        config.seed,
        after_step=layer.project,
    )
    head = to_head(layer, training[0], report)
    logits_KT = head.logits(validation[0].numpy()).astype(np.float32)
    temperature = fit_temperature(logits_KT, validation_task_K[validation_task_K >= 0])
    model = ImplicitClassifier(head=head, temperature=temperature)
    found = recognition(model.posterior(validation_features_KF), validation_task_K, temperature, floor=0.0)
    return model, ImplicitClassifierReport(recognition=found, statistics=head.statistics)

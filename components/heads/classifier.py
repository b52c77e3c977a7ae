"""Stage 1 at serving time: which task a new prompt belongs to, or none. Shapes: N prompts, F features, T tasks."""

from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import nn
from torch.nn import functional

from components.heads.losses import class_weights
from components.heads.training import FitConfig, FitReport, fit, seeded
from components.tables.sampling import evenly_within
from pointsman.model.weights import ClassifierWeights

FLOORS = np.linspace(0.0, 0.99, 100, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierConfig:
    """The network from features to tasks."""

    hidden: int = 128
    """Hidden units, >= 1."""
    dropout: float = 0.2
    """Share of hidden units dropped in training, in [0, 1)."""
    balance: float = 0.5
    """In [0, 1]; 0: every prompt counts the same in the loss, 1: every task counts the same."""
    mistake_cost: float = 1.0
    """What a wrong task costs, in units of what a right one gains, >= 0; no task at all costs nothing."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(epochs=60, weight_decay=0.05))
    rows: int = 16_000
    """Prompts that it learns from at most, and half as many that stop training, >= 2; each task keeps its share."""
    seed: int = 0

    def __post_init__(self) -> None:
        if (
            self.hidden < 1
            or not 0 <= self.dropout < 1
            or not 0 <= self.balance <= 1
            or self.mistake_cost < 0
            or self.rows < 2
        ):
            raise ValueError(
                f"hidden >= 1, dropout in [0, 1), balance in [0, 1], mistake_cost >= 0, rows >= 2; got {self}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierReport:
    """How well tasks are recognised on validation prompts; nan without validation prompts that have a task."""

    macro: float
    """Accuracy averaged over tasks."""
    micro: float
    """Accuracy over prompts that have a task."""
    coverage: float
    """Share of all validation prompts whose confidence reaches the floor."""
    ece: float
    """Expected calibration error of the top task's probability, after temperature."""
    temperature: float
    confidence_floor: float
    fit: FitReport | None
    """None: no tasks, nothing to train, or the report of several trainings."""


def calibration_error(confidence_N: NDArray[np.float32], correct_N: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error over equal-width bins (Guo et al. 2017, arXiv 1706.04599, eq. 3); nan without rows.

    >>> round(calibration_error(np.array([0.9, 0.9], dtype=np.float32), np.array([True, False])), 3)
    0.4
    """
    if confidence_N.size == 0:
        return float("nan")
    bin_N = np.minimum((confidence_N * bins).astype(np.int64), bins - 1)
    gap_B = np.bincount(bin_N, weights=confidence_N.astype(np.float64) - correct_N, minlength=bins)
    return float(np.abs(gap_B).sum() / confidence_N.size)


def fit_temperature(logits_NT: NDArray[np.float32], task_N: NDArray[np.int32]) -> float:
    """The temperature > 0 that minimises the negative log-likelihood (Guo et al. 2017); 1 where nothing can be learnt.

    Args:
        logits_NT: task logits.
        task_N: true tasks, >= 0.
    """
    if task_N.size == 0 or logits_NT.shape[1] < 2:
        return 1.0
    logits = torch.tensor(logits_NT, dtype=torch.float64)
    truth_N = torch.tensor(task_N, dtype=torch.int64)
    found = minimize_scalar(
        lambda log_t: float(functional.cross_entropy(logits / np.exp(log_t), truth_N)), bounds=(-3, 3), method="bounded"
    )
    return float(np.exp(found.x))


def choose_floor(posterior_NT: NDArray[np.float32], task_N: NDArray[np.int32], mistake_cost: float) -> float:
    """The confidence floor with the highest gain on validation prompts; of equals, the lowest.

    A prompt given its task gains 1; a prompt given a wrong task, or any where it has none (task -1), loses
    `mistake_cost`; a prompt left without a task gains nothing (Chow 1970, the optimal reject rule).

    Args:
        posterior_NT: calibrated posterior, T >= 1.
        task_N: true task; -1: none.
        mistake_cost: >= 0.

    >>> posterior = np.array([[0.9, 0.1], [0.6, 0.4], [0.55, 0.45]], dtype=np.float32)
    >>> round(choose_floor(posterior, np.array([0, -1, -1], dtype=np.int32), mistake_cost=1.0), 2)
    0.61
    """
    confidence_N = posterior_NT.max(axis=1)
    gain_N = np.where(posterior_NT.argmax(axis=1) == task_N, 1.0, -mistake_cost)
    gain_K = (confidence_N[:, None] >= FLOORS[None, :]).T @ gain_N
    return float(FLOORS[int(gain_K.argmax())])


def train_classifier(
    features_NF: NDArray[np.float32],
    task_N: NDArray[np.int32],
    validation_features_NF: NDArray[np.float32],
    validation_task_N: NDArray[np.int32],
    config: ClassifierConfig = ClassifierConfig(),
) -> tuple[ClassifierWeights, ClassifierReport]:
    """A two-layer network from features to tasks, calibrated, with the floor below which a prompt has no task.

    Trained on the prompts that have a task. Validation prompts with a task stop training early and set the
    temperature; those with task -1 count too where the floor is chosen (`choose_floor`).

    Args:
        features_NF: training features.
        task_N: training tasks; -1: none. T is the highest + 1 and may be 0.
        validation_features_NF: features of other prompts, (K, F).
        validation_task_N: their tasks, (K,); -1: none.
        config: see ClassifierConfig.

    Raises:
        ValueError: rows don't match, a feature isn't finite, or a validation task is unknown in training.
    """
    tasks = int(task_N.max(initial=-1)) + 1
    for name, features, task in (
        ("training", features_NF, task_N),
        ("validation", validation_features_NF, validation_task_N),
    ):
        if features.ndim != 2 or features.shape[0] != task.shape[0] or features.shape[1] != features_NF.shape[1]:
            raise ValueError(f"{name} features {features.shape} don't match tasks {task.shape}")
        if not np.isfinite(features).all():
            raise ValueError(f"{name} features hold nan or infinite values")
    if int(validation_task_N.max(initial=-1)) >= tasks:
        raise ValueError(f"validation task {validation_task_N.max()} isn't among the {tasks} tasks of training")
    known_K, validation_known_K = np.flatnonzero(task_N >= 0), np.flatnonzero(validation_task_N >= 0)
    known_K = known_K[evenly_within(task_N[known_K], config.rows)]
    validation_known_K = validation_known_K[evenly_within(validation_task_N[validation_known_K], config.rows // 2)]
    with seeded(config.seed):
        hidden, output = nn.Linear(features_NF.shape[1], config.hidden), nn.Linear(config.hidden, tasks or 1)
    network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(config.dropout), output)
    report: FitReport | None = None
    if tasks:
        truth_N = torch.tensor(task_N[known_K], dtype=torch.int64)
        weight_T = class_weights(truth_N, tasks, config.balance)
        report = fit(
            network,
            lambda batch: functional.cross_entropy(network(batch[0]), batch[1], weight=weight_T),
            (torch.tensor(features_NF[known_K]), truth_N),
            (
                torch.tensor(validation_features_NF[validation_known_K]),
                torch.tensor(validation_task_N[validation_known_K], dtype=torch.int64),
            ),
            config.fit,
            config.seed,
        )

    def weights(temperature: float, floor: float) -> ClassifierWeights:
        return ClassifierWeights(
            hidden_FH=hidden.weight.detach().numpy().T.copy(),
            hidden_bias_H=hidden.bias.detach().numpy().copy(),
            task_HT=output.weight.detach().numpy().T[:, :tasks].copy(),
            task_bias_T=output.bias.detach().numpy()[:tasks].copy(),
            temperature=np.array(temperature, dtype=np.float32),
            confidence_floor=np.array(floor, dtype=np.float32),
        )

    if tasks == 0 or validation_task_N.size == 0:
        nobody = np.zeros((0, tasks), dtype=np.float32)
        return weights(1.0, 0.0), replace(recognition(nobody, validation_task_N[:0], 1.0, 0.0), fit=report)
    with torch.no_grad():
        logits_NT = network(torch.tensor(validation_features_NF[validation_known_K])).numpy()
    temperature = fit_temperature(logits_NT, validation_task_N[validation_known_K])
    posterior_NT = weights(temperature, 0.0).posterior(validation_features_NF)
    floor = choose_floor(posterior_NT, validation_task_N, config.mistake_cost)
    recognised = recognition(posterior_NT, validation_task_N, temperature, floor)
    return weights(temperature, floor), replace(recognised, fit=report)


def recognition(
    posterior_NT: NDArray[np.floating], task_N: NDArray[np.int32], temperature: float, floor: float
) -> ClassifierReport:
    """How well tasks are recognised, from the posterior of prompts that the classifier hasn't seen.

    Args:
        posterior_NT: after temperature.
        task_N: true task; -1: none.
        temperature: told in the report.
        floor: below it a prompt is unassigned.
    """
    known_N, tasks = task_N >= 0, posterior_NT.shape[1]
    if tasks == 0 or not known_N.any():
        nothing = float("nan")
        return ClassifierReport(
            macro=nothing,
            micro=nothing,
            coverage=nothing,
            ece=nothing,
            temperature=temperature,
            confidence_floor=floor,
            fit=None,
        )
    truth_K, confidence_N = task_N[known_N], posterior_NT.max(axis=1).astype(np.float32)
    correct_K = posterior_NT[known_N].argmax(axis=1) == truth_K
    count_T = np.bincount(truth_K, minlength=tasks)
    recall_T = np.bincount(truth_K, weights=correct_K, minlength=tasks)[count_T > 0] / count_T[count_T > 0]
    return ClassifierReport(
        macro=float(recall_T.mean()),
        micro=float(correct_K.mean()),
        coverage=float((confidence_N >= np.float32(floor)).mean()),
        ece=calibration_error(confidence_N[known_N], correct_K),
        temperature=temperature,
        confidence_floor=floor,
        fit=None,
    )

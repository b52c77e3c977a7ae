"""Training and prediction that all gradient-trained methods share. Shapes: N prompts, M candidates, F features."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from components.baselines.observed import candidate_means, unseen_last
from components.heads.losses import masked_bce
from components.heads.training import Batch, FitConfig, FitReport, seeded
from components.heads.training import fit as fit_module
from components.tables.board import Board
from components.tables.units import tenth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeuralModel:
    """A trained module from features to quality logits."""

    module: nn.Module
    seen_M: NDArray[np.bool_]
    report: FitReport

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality in [0, 1], shape (N, M)."""
        with torch.no_grad():
            quality_NM = torch.sigmoid(self.module(torch.tensor(features_NF, dtype=torch.float32))).double().numpy()
        return unseen_last(quality_NM, self.seen_M)


def train(
    training: Board,
    seed: int,
    build: Callable[[], nn.Module],
    config: FitConfig,
    *,
    loss: Callable[[nn.Module, Batch], torch.Tensor] | None = None,
    validation_loss: Callable[[nn.Module, Batch], torch.Tensor] | None = None,
) -> NeuralModel:
    """Fits a module, by default by cross-entropy over observed outcomes; a `tenth` of the rows stops it.

    Args:
        build: makes the module; called with torch's random state set by the seed.
        loss: of a module on a batch (features, quality with nan where not observed), instead of cross-entropy.
        validation_loss: of the same, to stop by; `loss` if not given.

    Raises:
        ValueError: no outcome.
    """
    seen_M = candidate_means(training.quality_NM) > 0
    rows_K = np.flatnonzero(training.observed_NM.any(axis=1))
    held_K, rest_K = tenth(training.group_N[rows_K], seed)
    with seeded(seed):
        module = build()

    def tensors(rows: NDArray[np.intp]) -> tuple[torch.Tensor, ...]:
        features_KF = torch.tensor(training.features_NF[rows], dtype=torch.float32)
        return features_KF, torch.tensor(training.quality_NM[rows], dtype=torch.float32)

    report = fit_module(
        module,
        partial(loss or _cross_entropy, module),
        tensors(rows_K[rest_K]),
        tensors(rows_K[held_K]),
        config,
        seed,
        validation_loss=partial(validation_loss, module) if validation_loss else None,
    )
    return NeuralModel(module=module, seen_M=seen_M, report=report)


def _cross_entropy(module: nn.Module, batch: Batch) -> torch.Tensor:
    return masked_bce(module(batch[0]), batch[1])

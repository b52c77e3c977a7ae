"""Phase 2 of stage 2: heads of each task's own, on a trunk and general heads that are frozen.

Shapes: N prompts, F features, H hidden units, M candidates, T tasks.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.heads.losses import masked_bce
from components.heads.training import FitConfig, FitReport, fit
from pointsman.model.weights import ExpertWeights

Rows = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int32], NDArray[np.float32]]


class _TaskHeads(nn.Module):
    """What each task adds to the general logits; zero at the start and wherever a task has no head."""

    def __init__(self, head_TM: Tensor, hidden: int) -> None:
        super().__init__()
        self.weight_TMH = nn.Parameter(torch.zeros(*head_TM.shape, hidden))
        self.bias_TM = nn.Parameter(torch.zeros(head_TM.shape))

    def forward(self, trunk_NH: Tensor, task_N: Tensor) -> Tensor:
        # One gather and one batched product for all tasks: the time doesn't depend on their number.
        special_NM = torch.bmm(self.weight_TMH[task_N], trunk_NH[:, :, None])[:, :, 0]
        return special_NM + self.bias_TM[task_N]


def train_task_heads(
    frozen: ExpertWeights,
    training: Rows,
    validation: Rows,
    head_TM: NDArray[np.bool_],
    *,
    ridge: float,
    config: FitConfig,
    seed: int,
) -> tuple[ExpertWeights, FitReport | None]:
    """Phase 2 on arrays computed once from the frozen weights: nothing of phase 1 is part of the module trained.

    No report: no task has a head, or no training prompt such a task.
    """
    prepared, judged = _special_rows(frozen, training, head_TM), _special_rows(frozen, validation, head_TM)
    if prepared[0].shape[0] == 0:
        return frozen, None
    heads = _TaskHeads(torch.tensor(head_TM), frozen.trunk_bias_H.shape[0])
    cells = int((~torch.isnan(prepared[3])).sum())

    def evidence(rows: tuple[Tensor, ...]) -> Tensor:
        trunk_NH, general_NM, task_N, quality_NM = rows
        return masked_bce(general_NM + heads(trunk_NH, task_N), quality_NM)

    def posterior(rows: tuple[Tensor, ...]) -> Tensor:
        penalty = heads.weight_TMH.square().sum() + heads.bias_TM.square().sum()
        return evidence(rows) + ridge / 2 * penalty / cells

    report = fit(heads, posterior, prepared, judged, config, seed, validation_loss=evidence)
    weights = ExpertWeights(
        trunk_FH=frozen.trunk_FH,
        trunk_bias_H=frozen.trunk_bias_H,
        general_HM=frozen.general_HM,
        general_bias_M=frozen.general_bias_M,
        task_TMH=heads.weight_TMH.detach().numpy().copy(),
        task_bias_TM=heads.bias_TM.detach().numpy().copy(),
        head_TM=head_TM,
    )
    return weights, report


def gained(reports: Sequence[FitReport | None]) -> bool:
    """Whether every fold's own heads told something of prompts that neither taught them nor said when to stop.

    A fold's loss is read after as many epochs as the other folds took on average. Its own best epoch would make
    nearly all heads seem to gain: before training is one of the epochs that it is the best of.

    Args:
        reports: of two folds or more, judged on the prompts that a fold held out; None: it trained none.

    >>> falling = FitReport(epochs=2, best_epoch=2, losses=(0.7, 0.6, 0.5))
    >>> rising = FitReport(epochs=2, best_epoch=1, losses=(0.7, 0.69, 0.8))
    >>> gained([falling, falling]), gained([falling, rising])
    (True, False)
    """
    told = [report for report in reports if report is not None]
    if len(told) < max(2, len(reports)):
        return False
    total = sum(report.best_epoch for report in told)
    for report in told:
        epoch = round((total - report.best_epoch) / (len(told) - 1))
        if report.losses[min(epoch, report.epochs)] >= report.losses[0]:
            return False
    return True


def _special_rows(frozen: ExpertWeights, rows: Rows, head_TM: NDArray[np.bool_]) -> tuple[Tensor, ...]:
    """Trunk, general logits, task and quality of the prompts whose task has a head for an observed candidate."""
    features_NF, quality_NM, task_N, offset_NM = rows
    quality_NM = quality_NM.astype(np.float32)
    if head_TM.shape[0]:
        quality_NM = np.where(head_TM[np.maximum(task_N, 0)], quality_NM, np.float32(np.nan))
    use_N = (task_N >= 0) & ~np.isnan(quality_NM).all(axis=1)
    trunk_NH = frozen.trunk(features_NF[use_N])
    general_NM = trunk_NH @ frozen.general_HM + frozen.general_bias_M + offset_NM[use_N]
    return (
        torch.tensor(trunk_NH),
        torch.tensor(general_NM),
        torch.tensor(task_N[use_N], dtype=torch.int64),
        torch.tensor(quality_NM[use_N]),
    )

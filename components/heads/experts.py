"""Stage 2: expected quality of each candidate on each prompt, trained in two phases.

Shapes: N prompts, F features, H hidden units, M candidates, T tasks.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from components.heads.losses import masked_bce
from components.heads.task_heads import train_task_heads
from components.heads.training import FitConfig, FitReport, fit, seeded
from components.tables.sampling import informative
from pointsman.model.weights import ExpertWeights, log_odds


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertConfig:
    """The trunk, the heads and the two phases."""

    hidden: int = 96
    """Hidden units of each member's trunk, >= 1."""
    members: int = 3
    """Networks trained from different seeds and averaged as logits, >= 1; together they are one wider trunk."""
    dropout: float = 0.3
    """Share of hidden units dropped in phase 1, in [0, 1)."""
    ridge: float = 10.0
    """How strongly a task's heads are held to the general ones, in prompts of evidence, > 0."""
    general: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.02))
    """Phase 1."""
    special: FitConfig = field(default_factory=lambda: FitConfig(learning_rate=1e-3, patience=5))
    """Phase 2."""
    rows: int = 16_000
    """Prompts that they learn from at most, and half as many that stop training, >= 2: those that tell most."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.hidden, self.members) < 1 or not 0 <= self.dropout < 1 or not self.ridge > 0 or self.rows < 2:
            raise ValueError(f"hidden and members >= 1, dropout in [0, 1), ridge > 0, rows >= 2; got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertReport:
    """What both phases reached on validation prompts."""

    general: tuple[FitReport, ...]
    """Phase 1, one for each member."""
    special: FitReport | None
    """Phase 2, on the validation cells where a task has its own head; before training its loss is that of the general
    heads. None: no task has a head or no training prompt a task."""
    unobserved: tuple[int, ...]
    """Columns of the candidates without any training outcome: predicted at the mean of all."""


class _Network(nn.Module):
    def __init__(self, features: int, hidden: int, dropout: float, bias_M: Tensor) -> None:
        super().__init__()
        self.trunk = nn.Linear(features, hidden)
        self.dropout = nn.Dropout(dropout)
        self.general = nn.Linear(hidden, bias_M.shape[0])
        with torch.no_grad():
            self.general.weight.mul_(0.1)
            self.general.bias.copy_(bias_M)

    def forward(self, features_NF: Tensor) -> Tensor:
        """Quality logits, shape (N, M)."""
        return self.general(self.dropout(torch.relu(self.trunk(features_NF))))  # type: ignore[no-any-return]


def _mean_logits(quality_NM: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log odds of each candidate's mean quality, shape (M,), and which candidates were never observed."""
    seen_NM = ~np.isnan(quality_NM)
    count_M, total_M = seen_NM.sum(axis=0), np.nansum(quality_NM, axis=0)
    overall = total_M.sum() / max(count_M.sum(), 1)
    # One prompt of evidence for the overall mean, and no odds beyond 100:1, keep the log odds finite.
    mean_M = np.clip((total_M + overall) / (count_M + 1), 0.01, 0.99)
    return np.log(mean_M / (1 - mean_M)).astype(np.float32), count_M == 0


def train_experts(
    features_NF: NDArray[np.float32],
    quality_NM: NDArray[np.float64],
    task_N: NDArray[np.int32],
    head_TM: NDArray[np.bool_],
    validation_features_NF: NDArray[np.float32],
    validation_quality_NM: NDArray[np.float64],
    validation_task_N: NDArray[np.int32],
    config: ExpertConfig = ExpertConfig(),
    *,
    expected_NM: NDArray[np.float64] | None = None,
    validation_expected_NM: NDArray[np.float64] | None = None,
) -> tuple[ExpertWeights, ExpertReport]:
    """General heads on a shared trunk, then, both frozen, task-specific heads for each task's candidates.

    A task's head is an offset to the general head under a Gaussian prior at zero, so a task with little evidence stays
    at the general head. Whether the offsets are worth having is for several folds to say, see `task_heads.gained`.

    Args:
        features_NF: training features.
        quality_NM: quality in [0, 1]; nan: not observed.
        task_N: training tasks, below T; -1: none.
        head_TM: the candidates of each task, which get a head of their own; T may be 0.
        validation_features_NF: the same of other prompts, (K, F), to stop training.
        validation_quality_NM: (K, M).
        validation_task_N: (K,).
        config: see ExpertConfig.
        expected_NM: quality that stage 1 expects, learnt without these prompts' own outcomes: the heads learn the
            difference in log odds. Each candidate's mean quality if not given.
        validation_expected_NM: (K, M).

    Raises:
        ValueError: shapes don't match, a feature isn't finite, quality is outside [0, 1], no outcome at all, or a task
            isn't in head_TM.
    """
    for features, quality, task in (
        (features_NF, quality_NM, task_N),
        (validation_features_NF, validation_quality_NM, validation_task_N),
    ):
        _check(features, quality, task, head_TM, features_NF.shape[1])
    if np.isnan(quality_NM).all():
        raise ValueError("no training prompt has an outcome")
    bias_M, unobserved_M = _mean_logits(quality_NM)
    kept_K, judged_K = (
        _telling(quality_NM, task_N, config.rows),
        _telling(validation_quality_NM, validation_task_N, config.rows // 2),
    )
    features_NF, quality_NM, task_N = features_NF[kept_K], quality_NM[kept_K], task_N[kept_K]
    validation_features_NF, validation_task_N = validation_features_NF[judged_K], validation_task_N[judged_K]
    validation_quality_NM = validation_quality_NM[judged_K]
    expected_NM = None if expected_NM is None else expected_NM[kept_K]
    validation_expected_NM = None if validation_expected_NM is None else validation_expected_NM[judged_K]
    offset_NM, validation_offset_NM = (
        np.zeros(quality.shape, dtype=np.float32) if expected is None else log_odds(expected)
        for quality, expected in ((quality_NM, expected_NM), (validation_quality_NM, validation_expected_NM))
    )
    if expected_NM is not None:
        bias_M = np.zeros_like(bias_M)
    training = (torch.tensor(features_NF), torch.tensor(quality_NM, dtype=torch.float32), torch.tensor(offset_NM))
    validation = (
        torch.tensor(validation_features_NF),
        torch.tensor(validation_quality_NM, dtype=torch.float32),
        torch.tensor(validation_offset_NM),
    )
    # Rows without a single outcome teach nothing; without the filter, an empty validation set would look perfect.
    training, validation = (_rows(part, ~torch.isnan(part[1]).all(dim=1)) for part in (training, validation))
    networks, general = [], []
    for seed in range(config.seed * config.members, (config.seed + 1) * config.members):
        network, report = _train_general(training, validation, torch.tensor(bias_M), config, seed)
        networks.append(network)
        general.append(report)
    general_HM = np.concatenate([net.general.weight.detach().numpy().T for net in networks]) / config.members
    general_HM[:, unobserved_M] = 0
    general_bias_M = np.mean([net.general.bias.detach().numpy() for net in networks], axis=0)
    head_TM = head_TM & ~unobserved_M
    frozen = ExpertWeights(
        trunk_FH=np.concatenate([net.trunk.weight.detach().numpy().T for net in networks], axis=1),
        trunk_bias_H=np.concatenate([net.trunk.bias.detach().numpy() for net in networks]),
        general_HM=general_HM.astype(np.float32),
        general_bias_M=np.where(unobserved_M, bias_M, general_bias_M).astype(np.float32),
        task_TMH=np.zeros((*head_TM.shape, general_HM.shape[0]), dtype=np.float32),
        task_bias_TM=np.zeros(head_TM.shape, dtype=np.float32),
        head_TM=np.zeros_like(head_TM),
    )
    weights, special = train_task_heads(
        frozen,
        (features_NF, quality_NM, task_N, offset_NM),
        (validation_features_NF, validation_quality_NM, validation_task_N, validation_offset_NM),
        head_TM,
        ridge=config.ridge,
        config=config.special,
        seed=config.seed,
    )
    return weights, ExpertReport(
        general=tuple(general),
        special=special,
        unobserved=tuple(int(column) for column in np.flatnonzero(unobserved_M)),
    )


def _telling(quality_NM: NDArray[np.float64], task_N: NDArray[np.int32], most: int) -> NDArray[np.intp]:
    """Rows to learn from: all, or those that tell most of the candidates on the tasks."""
    seen_NM = ~np.isnan(quality_NM)
    if len(seen_NM) <= most:
        return np.arange(len(seen_NM))
    known_K = np.flatnonzero(seen_NM.any(axis=1))
    asked_K = (task_N[known_K] + 1) * seen_NM.shape[1] + seen_NM[known_K].argmax(axis=1)
    return np.asarray(known_K[informative(asked_K, seen_NM[known_K].sum(axis=1), most)], dtype=np.intp)


def _check(
    features_NF: NDArray[np.float32],
    quality_NM: NDArray[np.float64],
    task_N: NDArray[np.int32],
    head_TM: NDArray[np.bool_],
    features: int,
) -> None:
    if features_NF.ndim != 2 or features_NF.shape[1] != features:
        raise ValueError(f"features must have shape (N, {features}), got {features_NF.shape}")
    if quality_NM.shape != (features_NF.shape[0], head_TM.shape[1]) or task_N.shape != features_NF.shape[:1]:
        raise ValueError(
            f"features {features_NF.shape}, quality {quality_NM.shape}, tasks {task_N.shape} and heads {head_TM.shape}"
            " don't match"
        )
    if not np.isfinite(features_NF).all():
        raise ValueError("features hold nan or infinite values")
    if np.nanmin(quality_NM, initial=0) < 0 or np.nanmax(quality_NM, initial=0) > 1:
        raise ValueError("quality must be in [0, 1] or nan")
    if task_N.max(initial=-1) >= head_TM.shape[0]:
        raise ValueError(f"task {task_N.max()} has no row in head_TM of {head_TM.shape[0]} tasks")


Prompts = tuple[Tensor, Tensor, Tensor]
"""Features, quality and what it is learnt as a difference from, in log odds."""


def _rows(prompts: Prompts, keep_N: Tensor) -> Prompts:
    return prompts[0][keep_N], prompts[1][keep_N], prompts[2][keep_N]


def _train_general(
    training: Prompts, validation: Prompts, bias_M: Tensor, config: ExpertConfig, seed: int
) -> tuple[_Network, FitReport]:
    with seeded(seed):
        network = _Network(training[0].shape[1], config.hidden, config.dropout, bias_M)
    report = fit(
        network,
        lambda rows: masked_bce(network(rows[0]) + rows[2], rows[1]),
        training,
        validation,
        config.general,
        seed,
    )
    return network, report

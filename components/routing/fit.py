"""Assembles a router from trained heads and a task table: every choice is made on validation prompts, none on test.

Shapes: N prompts, F features, D embedding, T tasks, M candidates.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import choice_quality
from components.heads.weights import ClassifierWeights, ExpertWeights
from components.routing.aggregate import Posterior, levels, mix, task_level
from components.routing.calibrate import (
    Calibration,
    CalibrationConfig,
    Reliability,
    fit_calibration,
    identity,
    reliability,
)
from components.routing.cost import CostConfig, CostSource, fit_cost_head
from components.routing.cost_error import log_r2, total_error
from components.routing.model import RouterModel
from components.routing.novelty import NoveltyConfig, fit_novelty
from components.routing.selection import AlphaTrial, GuardTrial, best_single, choose_trial, guard_trials

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """What the assembly chooses among."""

    alphas: tuple[float, ...] = tuple(step / 10 for step in range(11))
    """Weights of the prompt-level heads, each in [0, 1]."""
    posteriors: tuple[Posterior, ...] = ("hard", "soft")
    """Ways to read the task table; the first where there are no tasks."""
    quality_tolerance: float = 0.002
    """Validation quality within which mixes count as equal and the Brier score decides, >= 0."""
    guard_margins: tuple[float, ...] = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05)
    """Quality by which a candidate must beat the fallback, each >= 0."""
    reliability_bins: int = 10
    """Bins of the reliability diagrams, >= 1."""
    calibration: CalibrationConfig = field(default_factory=CalibrationConfig)
    cost: CostConfig = field(default_factory=CostConfig)
    novelty: NoveltyConfig = field(default_factory=NoveltyConfig)

    def __post_init__(self) -> None:
        if not self.alphas or not all(0 <= alpha <= 1 for alpha in self.alphas):
            raise ValueError(f"alphas must be in [0, 1] and at least one, got {self.alphas}")
        if not self.posteriors or not set(self.posteriors) <= {"hard", "soft"}:
            raise ValueError(f"posteriors must be 'hard' or 'soft' and at least one, got {self.posteriors}")
        if not self.quality_tolerance >= 0:
            raise ValueError(f"quality_tolerance must be >= 0, got {self.quality_tolerance}")
        if not self.guard_margins or not all(margin >= 0 for margin in self.guard_margins):
            raise ValueError(f"guard_margins must be >= 0 and at least one, got {self.guard_margins}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observations:
    """One split's prompts and what was seen of them."""

    features_NF: NDArray[np.float32]
    embedding_ND: NDArray[np.float32]
    quality_NM: Floats
    """In [0, 1]; nan where not observed."""
    output_tokens_NM: Floats
    """>= 0; nan where unknown."""
    cost_usd_NM: Floats
    """USD per call >= 0; nan where unknown."""
    input_tokens_N: Floats
    """>= 0."""
    task_N: NDArray[np.int32]
    """Discovered task, -1: none. Read on training prompts only; elsewhere the classifier decides."""

    def __post_init__(self) -> None:
        rows = self.quality_NM.shape[0]
        for name in ("features_NF", "embedding_ND", "output_tokens_NM", "cost_usd_NM", "input_tokens_N", "task_N"):
            if getattr(self, name).shape[0] != rows:
                raise ValueError(f"{name} has {getattr(self, name).shape[0]} prompts, quality_NM has {rows}")
        if self.output_tokens_NM.shape != self.quality_NM.shape or self.cost_usd_NM.shape != self.quality_NM.shape:
            raise ValueError("quality_NM, output_tokens_NM and cost_usd_NM must have one shape")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitReport:
    """How the router came to be; figures are on validation prompts."""

    alpha_trials: tuple[AlphaTrial, ...]
    chosen: AlphaTrial
    guard_trials: tuple[GuardTrial, ...]
    guard_margin: float
    reliability_before: Reliability
    reliability_after: Reliability
    fallback: int
    """Index of the best single candidate on training prompts."""
    cost_source_M: tuple[CostSource, ...]
    cost_r2: float
    """R2 of log tokens over known cells, against each candidate's mean; nan where no tokens are known."""
    cost_relative_error: float
    """Mean over candidates of |expected - logged| / logged total cost; nan where no costs are known."""
    novelty_floor: float

    @property
    def ece_before(self) -> float:
        """Expected calibration error of the mix, uncalibrated."""
        return self.reliability_before.ece

    @property
    def ece_after(self) -> float:
        """Expected calibration error of the mix, calibrated."""
        return self.reliability_after.ece


def fit_router(
    *,
    classifier: ClassifierWeights,
    experts: ExpertWeights,
    table_quality_TM: Floats,
    general_quality_M: Floats,
    train: Observations,
    validation: Observations,
    calibration: Observations,
    input_usd_per_mtok_M: Floats,
    output_usd_per_mtok_M: Floats,
    config: RouterConfig,
    seed: int,
) -> tuple[RouterModel, FitReport]:
    """Chooses aggregation and guard on validation, calibrates on calibration prompts, learns costs on training prompts.

    Raises:
        ValueError: shapes don't match, a candidate has no known general quality, or validation has no outcomes.
    """
    tasks, candidates = table_quality_TM.shape[0], general_quality_M.shape[0]
    _check(
        classifier,
        experts,
        table_quality_TM,
        general_quality_M,
        train=train,
        validation=validation,
        calibration=calibration,
    )
    seen = [levels(classifier, experts, split.features_NF) for split in (validation, calibration)]
    trials: list[AlphaTrial] = []
    fits: list[Calibration] = []
    for posterior in config.posteriors if tasks else config.posteriors[:1]:
        task_NM, task_held_NM = (
            task_level(level.posterior_NT, level.task_N, table_quality_TM, general_quality_M, posterior)
            for level in seen
        )
        for alpha in config.alphas:
            fitted = fit_calibration(
                mix(seen[1].prompt_NM, task_held_NM, alpha), calibration.quality_NM, config.calibration
            )
            predicted_NM = fitted.apply(mix(seen[0].prompt_NM, task_NM, alpha))
            trials.append(
                AlphaTrial(
                    alpha=alpha,
                    posterior=posterior,
                    quality=choice_quality(predicted_NM, validation.quality_NM),
                    brier=float(np.nanmean((predicted_NM - validation.quality_NM) ** 2)),
                )
            )
            fits.append(fitted)
    chosen = choose_trial(trials, config.quality_tolerance)
    fallback = best_single(train.quality_NM)
    task_NM = task_level(
        seen[0].posterior_NT, seen[0].task_N, table_quality_TM, general_quality_M, trials[chosen].posterior
    )
    mixed_NM = mix(seen[0].prompt_NM, task_NM, trials[chosen].alpha)
    calibrated_NM = fits[chosen].apply(mixed_NM)
    guards = guard_trials(calibrated_NM, validation.quality_NM, fallback, config.guard_margins)
    guard = max(guards, key=lambda trial: (trial.quality, -trial.margin))
    cost = fit_cost_head(
        features_NF=train.features_NF,
        output_tokens_NM=train.output_tokens_NM,
        cost_usd_NM=train.cost_usd_NM,
        task_N=train.task_N,
        tasks=tasks,
        input_usd_per_mtok_M=input_usd_per_mtok_M,
        output_usd_per_mtok_M=output_usd_per_mtok_M,
        config=config.cost,
    )
    novelty = fit_novelty(train.embedding_ND, calibration.embedding_ND, config.novelty, seed)
    model = RouterModel(
        classifier=classifier,
        experts=experts,
        calibration=fits[chosen],
        cost=cost,
        novelty=novelty,
        task_quality_TM=np.asarray(table_quality_TM, dtype=np.float64),
        general_quality_M=np.asarray(general_quality_M, dtype=np.float64),
        alpha=np.array(trials[chosen].alpha, dtype=np.float64),
        soft=np.array(trials[chosen].posterior == "soft"),
        guard_margin=np.array(guard.margin, dtype=np.float64),
        fallback=np.array(fallback, dtype=np.int64),
    )
    report = FitReport(
        alpha_trials=tuple(trials),
        chosen=trials[chosen],
        guard_trials=guards,
        guard_margin=guard.margin,
        # the identity holds predictions off 0 and 1 just as calibration does
        reliability_before=reliability(
            identity(candidates).apply(mixed_NM), validation.quality_NM, config.reliability_bins
        ),
        reliability_after=reliability(calibrated_NM, validation.quality_NM, config.reliability_bins),
        fallback=fallback,
        cost_source_M=tuple(CostSource(source) for source in cost.source_M),
        cost_r2=log_r2(cost.log_tokens(validation.features_NF, seen[0].task_N), validation.output_tokens_NM),
        cost_relative_error=total_error(
            cost.cost_usd(validation.features_NF, validation.input_tokens_N, seen[0].task_N), validation.cost_usd_NM
        ),
        novelty_floor=float(novelty.floor),
    )
    return model, report


def _check(
    classifier: ClassifierWeights,
    experts: ExpertWeights,
    table_quality_TM: Floats,
    general_quality_M: Floats,
    **splits: Observations,
) -> None:
    """Refuses parts that don't fit together."""
    tasks, candidates = table_quality_TM.shape
    sizes = {
        "classifier": (classifier.task_bias_T.shape[0], candidates),
        "experts": experts.task_bias_TM.shape,
        "general_quality": (tasks, *general_quality_M.shape),
        **{name: (tasks, split.quality_NM.shape[1]) for name, split in splits.items()},
    }
    for name, size in sizes.items():
        if size != (tasks, candidates):
            raise ValueError(f"{name} has (tasks, candidates) = {size}, the task table {(tasks, candidates)}")
    if unknown := np.flatnonzero(~np.isfinite(general_quality_M)).tolist():
        raise ValueError(f"candidates {unknown} have no general quality: leave out those without training outcomes")
    if not np.isfinite(splits["validation"].quality_NM).any():
        raise ValueError("validation has no observed outcomes")
    if (last := splits["train"].task_N.max(initial=-1)) >= tasks:
        raise ValueError(f"training tasks must be below {tasks}, got {last}")

"""Assembles a router from trained heads and a task table: every choice rests on
what parts say of prompts they were not trained on, none on test.

Shapes: N prompts, F features, D embedding, T tasks, M candidates.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.reliability import Reliability, reliability
from components.learning.calibration_fit import CalibrationConfig
from components.learning.cost_error import log_r2, total_error
from components.learning.cost_fit import CostConfig, fit_cost_head
from components.learning.evidence import Evidence, Kind, Source, evidence_of, judged_outcomes
from components.learning.mixing import HeldOut, choose_mixing
from components.learning.novelty_fit import NoveltyConfig, fit_novelty, known_length
from components.learning.selection import SURE, AlphaTrial, GuardTrial, best_single
from components.tables.board import Board
from components.tables.units import apart
from pointsman.model.aggregate import Posterior
from pointsman.model.calibration import identity
from pointsman.model.clusters import ClusterTables
from pointsman.model.cost import CostSource
from pointsman.model.router_model import RouterModel
from pointsman.model.weights import ClassifierWeights, ExpertWeights

Floats = NDArray[np.float64]
NOVELTY_SHARE = 0.125
"""Share of the prompts that set the novelty floor, conversations and near-duplicates whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """What the assembly chooses among."""

    alphas: tuple[float, ...] = tuple(step / 10 for step in range(11))
    """Weights of the prompt-level heads, each in [0, 1]."""
    posteriors: tuple[Posterior, ...] = ("hard", "soft")
    """Ways to read the task table; the first where there are no tasks."""
    guard_margins: tuple[float, ...] = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1)
    """Quality by which a candidate must beat the fallback, each >= 0."""
    doubt_margins: tuple[float, ...] = (0.0, 0.02, 0.03, 0.05, 0.07, 0.1)
    """The same for each unit of doubt about a prompt's task, ascending from 0."""
    distance_margins: tuple[float, ...] = (0.0, 0.05, 0.1, 0.15, 0.2)
    """The same for each unit by which a prompt is farther than usual from all clusters, ascending from 0."""
    caution: float = 1.0
    """Standard errors by which an advantage over the fallback is believed less where logs have gaps, >= 0."""
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
        if not self.guard_margins or not all(margin >= 0 for margin in self.guard_margins):
            raise ValueError(f"guard_margins must be >= 0 and at least one, got {self.guard_margins}")
        for name in ("doubt_margins", "distance_margins"):
            margins = getattr(self, name)
            if margins[:1] != (0,) or list(margins) != sorted(margins):
                raise ValueError(f"{name} must be ascending from 0, got {margins}")

    def mixing(self, tasks: int) -> dict[str, Any]:
        """What `choose_mixing` chooses among, for a number of tasks."""
        return {
            "alphas": self.alphas,
            "posteriors": self.posteriors if tasks else self.posteriors[:1],
            "guard_margins": self.guard_margins,
            "doubt_margins": self.doubt_margins,
            "distance_margins": self.distance_margins,
            "calibration": self.calibration,
            "caution": self.caution,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FitReport:
    """How the router came to be; figures are of held-out parts, but for the costs'."""

    alpha_trials: tuple[AlphaTrial, ...]
    chosen: AlphaTrial
    guard_trials: tuple[GuardTrial, ...]
    guard_margin: float
    doubt_trials: tuple[GuardTrial, ...]
    doubt_margin: float
    distance_trials: tuple[GuardTrial, ...]
    distance_margin: float
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
    evidence: Kind = "complete"
    propensities: Source = "none needed"

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
    clusters: ClusterTables,
    seen: Board,
    held: HeldOut,
    config: RouterConfig,
    seed: int,
    evidence: Evidence | None = None,
) -> tuple[RouterModel, FitReport]:
    """Chooses aggregation, calibrates and sets the guard on what held-out parts say, and learns costs.

    Calibration and costs are fitted on observed cells. What is chosen is judged on outcomes, and on pseudo-outcomes
    where a prompt's were not all observed.

    Args:
        classifier: of tasks.
        experts: heads.
        table_quality_TM: of each task.
        general_quality_M: of each candidate.
        clusters: tables of clusters.
        seen: what is learnt from, with tasks.
        held: what parts trained without each prompt say of it.
        config: what is chosen among.
        seed: of the novelty reference.
        evidence: how the outcomes came to be observed; worked out if not given.

    Raises:
        ValueError: shapes don't match, a candidate has no known general quality, or nothing was observed.
    """
    tasks, candidates = table_quality_TM.shape[0], general_quality_M.shape[0]
    _check(classifier, experts, table_quality_TM, general_quality_M, seen, held)
    evidence = evidence_of(seen, seed) if evidence is None else evidence
    judged_NM = judged_outcomes(seen.worth_NM, (held.prompt_NM + held.soft_NM) / 2, evidence)
    fallback = best_single(judged_NM, 0.0 if evidence.kind == "complete" else SURE, group_N=seen.group_N)
    cost = fit_cost_head(
        features_NF=seen.features_NF,
        # of logs that don't count them: what costs are expected by
        input_tokens_NM=np.where(np.isnan(seen.input_tokens_NM), seen.input_tokens_N[:, None], seen.input_tokens_NM),
        output_tokens_NM=seen.output_tokens_NM,
        cost_usd_NM=seen.cost_usd_NM,
        task_N=seen.task_N,
        tasks=tasks,
        input_usd_per_mtok_M=seen.input_usd_per_mtok_M,
        output_usd_per_mtok_M=seen.output_usd_per_mtok_M,
        config=config.cost,
    )
    expected_NM = cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    asked = config.mixing(tasks) | {"cost_usd_NM": expected_NM, "group_N": seen.group_N}
    mixing = choose_mixing(held, seen.quality_NM, judged_NM, fallback, **asked)
    mixed_NM = mixing.mixed(held)
    calibrated_NM = mixing.calibration.apply(mixed_NM)
    # The floor is set on prompts that the reference points haven't seen, nor other turns of their conversations.
    apart_N = apart(seen.group_N, NOVELTY_SHARE, seed)
    novelty = fit_novelty(seen.embedding_ND[~apart_N], seen.embedding_ND[apart_N], config.novelty, seed)
    model = RouterModel(
        classifier=classifier,
        experts=experts,
        clusters=clusters,
        calibration=mixing.calibration,
        cost=cost,
        novelty=novelty,
        task_quality_TM=np.asarray(table_quality_TM, dtype=np.float64),
        general_quality_M=np.asarray(general_quality_M, dtype=np.float64),
        alpha=np.array(mixing.chosen.alpha, dtype=np.float64),
        soft=np.array(mixing.chosen.posterior == "soft"),
        guard_margin=np.array(mixing.guard, dtype=np.float64),
        doubt_margin=np.array(mixing.doubt, dtype=np.float64),
        distance_margin=np.array(mixing.distance, dtype=np.float64),
        usual_distance=np.array(mixing.usual_distance, dtype=np.float64),
        longest_tokens=np.array(
            known_length(seen.input_tokens_N, seen.group_N, config.novelty.quantile), dtype=np.float64
        ),
        fallback=np.array(fallback, dtype=np.int64),
    )
    report = FitReport(
        alpha_trials=mixing.trials,
        chosen=mixing.chosen,
        guard_trials=mixing.guards,
        guard_margin=mixing.guard,
        doubt_trials=mixing.doubts,
        doubt_margin=mixing.doubt,
        distance_trials=mixing.distances,
        distance_margin=mixing.distance,
        # the identity holds predictions off 0 and 1 just as calibration does
        reliability_before=reliability(identity(candidates).apply(mixed_NM), seen.quality_NM, config.reliability_bins),
        reliability_after=reliability(calibrated_NM, seen.quality_NM, config.reliability_bins),
        fallback=fallback,
        cost_source_M=tuple(CostSource(source) for source in cost.source_M),
        cost_r2=log_r2(cost.log_tokens(seen.features_NF, held.task_N), seen.output_tokens_NM),
        cost_relative_error=total_error(expected_NM, seen.cost_usd_NM),
        novelty_floor=float(novelty.floor),
        evidence=evidence.kind,
        propensities=evidence.propensities,
    )
    return model, report


def _check(
    classifier: ClassifierWeights,
    experts: ExpertWeights,
    table_quality_TM: Floats,
    general_quality_M: Floats,
    seen: Board,
    held: HeldOut,
) -> None:
    """Refuses parts that don't fit together."""
    tasks, candidates = table_quality_TM.shape
    sizes = {
        "classifier": (classifier.task_bias_T.shape[0], candidates),
        "experts": experts.task_bias_TM.shape,
        "general_quality": (tasks, *general_quality_M.shape),
        "outcomes": (tasks, seen.quality_NM.shape[1]),
    }
    for name, size in sizes.items():
        if size != (tasks, candidates):
            raise ValueError(f"{name} has (tasks, candidates) = {size}, the task table {(tasks, candidates)}")
    for name in ("doubt_N", "distance_N"):
        if getattr(held, name).shape != seen.task_N.shape:
            raise ValueError(f"held-out {name} is {getattr(held, name).shape}, tasks are {seen.task_N.shape}")
    for name in ("soft_NM", "hard_NM", "prompt_NM"):
        if getattr(held, name).shape != seen.quality_NM.shape:
            raise ValueError(f"held-out {name} is {getattr(held, name).shape}, outcomes are {seen.quality_NM.shape}")
    if unknown := np.flatnonzero(~np.isfinite(general_quality_M)).tolist():
        raise ValueError(f"candidates {unknown} have no general quality: leave out those without training outcomes")
    if not np.isfinite(seen.quality_NM).any():
        raise ValueError("no outcome was observed")
    if (last := seen.task_N.max(initial=-1)) >= tasks:
        raise ValueError(f"tasks must be below {tasks}, got {last}")

"""The router trained again on some of the prompts, to see what it does where it was never trained.

Shapes: N prompts, M candidates, T tasks; K a choice of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray

from components.evaluation.held_out import Trained
from components.heads.classifier import ClassifierConfig, train_classifier
from components.heads.experts import ExpertConfig, train_experts
from components.heads.training import FitConfig
from components.reports.report import router_scores
from components.routing.fit import Observations, RouterConfig, fit_router
from components.tasks.partition import UNASSIGNED, Partition
from components.tasks.table import task_table

_QUICK = FitConfig(epochs=20, patience=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefitConfig:
    """A quicker training than the published router's: one member, fewer epochs."""

    classifier: ClassifierConfig = field(default_factory=lambda: ClassifierConfig(fit=_QUICK))
    experts: ExpertConfig = field(default_factory=lambda: ExpertConfig(members=1, general=_QUICK, special=_QUICK))
    router: RouterConfig = field(default_factory=RouterConfig)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """All N prompts: what was seen of them, and which split each is in."""

    observations: Observations
    """Its task_N: discovered on training prompts, assigned elsewhere."""
    split_N: NDArray[np.str_]
    input_usd_per_mtok_M: NDArray[np.float64]
    output_usd_per_mtok_M: NDArray[np.float64]


def refitting(
    known: Known, config: RefitConfig = RefitConfig(), seed: int = 0
) -> Callable[[NDArray[np.intp]], Trained | None]:
    """A function that trains task table, classifier, heads, aggregation, calibration and guards on given rows alone.

    Tasks stay as they were discovered, less the rows that aren't given: finding them again would take longer than all
    the rest. Each split keeps its part, so nothing is chosen on training rows, and test rows train nothing.
    """

    def fit(rows_K: NDArray[np.intp]) -> Trained | None:
        return _fit(known, rows_K, config, seed)

    return fit


def _fit(known: Known, rows_K: NDArray[np.intp], config: RefitConfig, seed: int) -> Trained | None:
    seen = known.observations
    train, validation, calibration = (
        take(seen, rows_K[known.split_N[rows_K] == split]) for split in ("train", "validation", "calibration")
    )
    answered_M = np.isfinite(train.quality_NM).any(axis=0)
    if not answered_M.all() or not np.isfinite(validation.quality_NM).any():
        return None
    number_T = _renumbering(train.task_N)
    train, validation, calibration = (
        replace(part, task_N=number_T[np.minimum(part.task_N, number_T.size - 2)])
        for part in (train, validation, calibration)
    )
    partition = Partition(task_N=train.task_N, membership_N=(train.task_N >= 0).astype(np.float32))
    table = task_table(partition, train.quality_NM)
    classifier, _ = train_classifier(
        train.features_NF, train.task_N, validation.features_NF, validation.task_N, config.classifier
    )
    experts, _ = train_experts(
        train.features_NF,
        train.quality_NM,
        train.task_N,
        table.candidate_TM,
        validation.features_NF,
        validation.quality_NM,
        validation.task_N,
        config.experts,
    )
    model, _ = fit_router(
        classifier=classifier,
        experts=experts,
        table_quality_TM=table.quality_TM,
        general_quality_M=table.general_M,
        train=train,
        validation=validation,
        calibration=calibration,
        input_usd_per_mtok_M=known.input_usd_per_mtok_M,
        output_usd_per_mtok_M=known.output_usd_per_mtok_M,
        config=config.router,
        seed=seed,
    )

    def scores(judged_K: NDArray[np.intp]) -> NDArray[np.float64]:
        part = take(seen, judged_K)
        prediction = model.predict(part.features_NF, part.embedding_ND, part.input_tokens_N)
        return router_scores(prediction, int(model.fallback), float(model.guard_margin))

    return Trained(scores=scores, best_single=int(model.fallback))


def take(seen: Observations, rows_K: NDArray[np.intp]) -> Observations:
    """The same columns on a choice of prompts."""
    return Observations(**{entry.name: getattr(seen, entry.name)[rows_K] for entry in fields(Observations)})


def _renumbering(task_N: NDArray[np.int32]) -> NDArray[np.int32]:
    """New number of each task; the last place, which -1 finds, and the one before, for later tasks, are unassigned."""
    left_T = np.unique(task_N[task_N >= 0])
    number_T = np.full(int(task_N.max(initial=UNASSIGNED)) + 3, UNASSIGNED, dtype=np.int32)
    number_T[left_T] = np.arange(left_T.size)
    return number_T

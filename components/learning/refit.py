"""The router trained again on some of the prompts, to see what it does where it was never trained.

Shapes: N prompts, M candidates, T tasks; K a choice of rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.evaluation.held_out import Trained
from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.heads.training import FitConfig
from components.learning.comparison import take
from components.learning.fit import Observations
from components.learning.two_stage import TwoStageConfig, learn
from components.tasks.partition import UNASSIGNED
from pointsman.model.guard import router_scores

_BRIEF = FitConfig(epochs=20, patience=3)
QUICK = TwoStageConfig(
    classifier=ClassifierConfig(fit=_BRIEF),
    experts=ExpertConfig(members=1, general=_BRIEF, special=_BRIEF),
    folds=2,
)
"""A quicker training than the published router's: one member, two folds, fewer epochs."""
_SMALLEST_TASK = 4
"""Prompts that a task must keep: two a fold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """All N prompts: what was seen of them, and which may be learnt from."""

    observations: Observations
    """Its task_N: discovered on training prompts, assigned elsewhere."""
    label_N: NDArray[np.str_]
    """The logs' own label of each prompt."""
    learning_N: NDArray[np.bool_]
    """False: test prompts, which train nothing."""
    input_usd_per_mtok_M: NDArray[np.float64]
    output_usd_per_mtok_M: NDArray[np.float64]


def refitting(
    known: Known, config: TwoStageConfig = QUICK, seed: int = 0
) -> Callable[[NDArray[np.intp]], Trained | None]:
    """A function that trains both stages, aggregation, calibration and guards on given rows alone.

    Tasks stay as they were discovered, less the rows that aren't given: finding them again would take longer than all
    the rest.
    """

    def fit(rows_K: NDArray[np.intp]) -> Trained | None:
        return _fit(known, rows_K, config, seed)

    return fit


def _fit(known: Known, rows_K: NDArray[np.intp], config: TwoStageConfig, seed: int) -> Trained | None:
    rows_K = rows_K[known.learning_N[rows_K]]
    seen = take(known.observations, rows_K)
    if rows_K.size < 2 * config.folds or not np.isfinite(seen.quality_NM).any(axis=0).all():
        return None
    seen = replace(seen, task_N=_renumbered(seen.task_N))
    trained = learn(
        seen, known.label_N[rows_K], known.input_usd_per_mtok_M, known.output_usd_per_mtok_M, config.seeded(seed), seed
    )
    model = trained.model

    def scores(judged_K: NDArray[np.intp]) -> NDArray[np.float64]:
        part = take(known.observations, judged_K)
        prediction = model.predict(part.features_NF, part.embedding_ND, part.input_tokens_N)
        return router_scores(prediction, int(model.fallback))

    return Trained(scores=scores, best_single=int(model.fallback))


def _renumbered(task_N: NDArray[np.int32]) -> NDArray[np.int32]:
    """Tasks that kept enough prompts, numbered from 0; the others' prompts are unassigned."""
    names, inverse_N, count = np.unique(task_N, return_inverse=True, return_counts=True)
    kept = (names >= 0) & (count >= _SMALLEST_TASK)
    number = np.where(kept, np.cumsum(kept) - 1, UNASSIGNED)
    return np.asarray(number[inverse_N], dtype=np.int32)

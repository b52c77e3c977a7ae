"""The router trained again on some of the prompts, to see what it does where it was never trained.

Shapes: N prompts, M candidates, T tasks; K a choice of rows.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.evaluation.held_out import Trained
from components.heads.classifier import ClassifierConfig
from components.heads.experts import ExpertConfig
from components.heads.training import FitConfig
from components.learning.router import LEARNING
from components.learning.two_stage import TwoStageConfig, learn
from components.tables.board import Board
from components.tables.groups import group_count
from pointsman.model.aggregate import UNASSIGNED
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


def refitting(
    board: Board, config: TwoStageConfig = QUICK, seed: int = 0
) -> Callable[[NDArray[np.intp]], Trained | None]:
    """A function that trains both stages, aggregation, calibration and guards on given rows alone.

    Tasks stay as they were discovered, less the rows that aren't given: finding them again would take longer than all
    the rest. Prompts in no learning split train nothing.
    """

    def fit(rows_K: NDArray[np.intp]) -> Trained | None:
        return _fit(board, rows_K, config, seed)

    return fit


def _fit(board: Board, rows_K: NDArray[np.intp], config: TwoStageConfig, seed: int) -> Trained | None:
    seen = board.take(rows_K[np.isin(board.split_N[rows_K], LEARNING)])
    if len(seen.quality_NM) < 2 * config.folds or not seen.observed_NM.any(axis=0).all():
        return None
    if group_count(seen.group_N) == 1:
        # one conversation or template: nothing that was learnt could be judged without it
        return None
    seen = replace(seen, task_N=_renumbered(seen.task_N))
    trained = learn(seen, config.seeded(seed), seed)
    model = trained.model

    def scores(judged_K: NDArray[np.intp]) -> NDArray[np.float64]:
        part = board.take(judged_K)
        prediction = model.predict(part.features_NF, part.embedding_ND, part.input_tokens_N)
        return router_scores(prediction, int(model.fallback))

    return Trained(scores=scores, best_single=int(model.fallback))


def _renumbered(task_N: NDArray[np.int32]) -> NDArray[np.int32]:
    """Tasks that kept enough prompts, numbered from 0; the others' prompts are unassigned."""
    names, inverse_N, count = np.unique(task_N, return_inverse=True, return_counts=True)
    kept = (names >= 0) & (count >= _SMALLEST_TASK)
    number = np.where(kept, np.cumsum(kept) - 1, UNASSIGNED)
    return np.asarray(number[inverse_N], dtype=np.int32)

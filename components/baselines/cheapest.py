"""Always the candidate that costs least on average."""

import numpy as np

from components.baselines.observed import ConstantModel, candidate_means, unseen_last
from components.tables.board import Board


def fit(training: Board, seed: int) -> ConstantModel:
    """A constant order by mean known cost a call, highest last; candidates of unknown cost come after all others.

    Raises:
        ValueError: no outcome, or no cost is known.
    """
    del seed
    seen_M = candidate_means(training.quality_NM) > 0
    known_NM = ~np.isnan(training.cost_usd_NM)
    if not (known_NM.any(axis=0) & seen_M).any():
        raise ValueError("the cheapest candidate is unknown: the training set has no cost")
    count_M = known_NM.sum(axis=0)
    cost_M = np.where(known_NM, training.cost_usd_NM, 0.0).sum(axis=0) / np.maximum(count_M, 1)
    highest = cost_M[count_M > 0].max()
    score_M = np.where(count_M > 0, 1 - 0.5 * cost_M / max(highest, 1e-300), 0.25)
    return ConstantModel(quality_M=unseen_last(score_M, seen_M))

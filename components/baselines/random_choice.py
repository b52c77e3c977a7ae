"""A candidate at random: what routing is worth nothing against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RandomModel:
    """Uniform scores; every call with as many prompts gives the same ones."""

    seen_M: NDArray[np.bool_]
    seed: int

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Scores uniform in [0, 1), shape (N, M), whatever the features; 0 for untried candidates."""
        score_NM = np.random.default_rng(self.seed).random((features_NF.shape[0], self.seen_M.size))
        return unseen_last(score_NM, self.seen_M)


def fit(training: Board, seed: int) -> RandomModel:
    """A uniform choice among the candidates that were tried.

    Raises:
        ValueError: no outcome.
    """
    return RandomModel(seen_M=candidate_means(training.quality_NM) > 0, seed=seed)

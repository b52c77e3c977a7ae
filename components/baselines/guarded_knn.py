"""Nearest neighbours that leave the best single candidate only on evidence.

The mean outcomes of a few neighbours name a winner by luck (the winner's curse: Smith and Winkler 2006, doi
10.1287/mnsc.1050.0451), so a rival must beat the best single candidate on the same neighbours by more than z standard
errors of the paired difference, the one-sided paired z test.
Shapes: N prompts, M candidates; B prompts of a block, k neighbours, K training prompts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.knn import nearest
from components.baselines.observed import LEAST, candidate_means, unseen_last
from components.tables.board import Board
from pointsman.model.unit import unit_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedConfig:
    """How many neighbours vote and how sure they must be."""

    neighbours: int = 100
    """k, >= 1; all training prompts where there are fewer."""
    z: float = 1.0
    """Standard errors, >= 0; 0: any advantage will do."""

    def __post_init__(self) -> None:
        if self.neighbours < 1 or not 0 <= self.z < float("inf"):
            raise ValueError(f"neighbours must be >= 1 and z >= 0, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GuardedModel:
    """Training prompts, their outcomes, and the candidate to fall back on."""

    unit_KF: NDArray[np.float32]
    quality_KM: NDArray[np.float64]
    general_M: NDArray[np.float64]
    fallback: int
    config: GuardedConfig

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """The fallback's mean among the neighbours, plus each rival's paired advantage over it, shape (N, M).

        An advantage without evidence counts as none at all. Where fewer than two neighbours tried both, the difference
        of the general means stands in, which is no advantage.
        """
        predicted_NM = np.empty((features_NF.shape[0], self.general_M.size))
        for block, nearest_Bk in nearest(unit_rows(features_NF), self.unit_KF, self.config.neighbours):
            quality_BkM = self.quality_KM[nearest_Bk]
            base_Bk1 = quality_BkM[:, :, self.fallback, None]
            count_B1, base_B1 = _moments(base_Bk1)[:2]
            base_B1 = np.where(count_B1 > 0, base_B1, self.general_M[self.fallback])
            predicted_NM[block] = np.maximum(base_B1, 2 * LEAST) + self._advantage(quality_BkM - base_Bk1)
        return unseen_last(predicted_NM, self.general_M > 0)

    def _advantage(self, difference_BkM: NDArray[np.float64]) -> NDArray[np.float64]:
        """Paired advantage over the fallback, below 0 where it isn't z standard errors above, shape (B, M)."""
        count_BM, mean_BM, error_BM = _moments(difference_BkM)
        paired_BM = count_BM > 1
        mean_BM = np.where(paired_BM, mean_BM, self.general_M - self.general_M[self.fallback])
        proven_BM = paired_BM & (mean_BM > self.config.z * error_BM)
        advantage_BM = np.where(proven_BM, mean_BM, np.minimum(mean_BM, -LEAST))
        advantage_BM[:, self.fallback] = 0.0
        return advantage_BM


def fit(training: Board, seed: int, config: GuardedConfig = GuardedConfig()) -> GuardedModel:
    """Keeps the training prompts; the fallback is the candidate of the best mean.

    Raises:
        ValueError: no outcome.
    """
    del seed
    general_M = candidate_means(training.quality_NM)
    return GuardedModel(
        unit_KF=unit_rows(training.features_NF),
        quality_KM=training.quality_NM,
        general_M=general_M,
        fallback=int(general_M.argmax()),
        config=config,
    )


def _moments(value_BkM: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Count, mean and standard error over the neighbours where the value is known, each of shape (B, M)."""
    seen_BkM = ~np.isnan(value_BkM)
    count_BM = seen_BkM.sum(axis=1).astype(np.float64)
    mean_BM = np.where(seen_BkM, value_BkM, 0.0).sum(axis=1) / np.maximum(count_BM, 1)
    square_BM = (np.where(seen_BkM, value_BkM - mean_BM[:, None], 0.0) ** 2).sum(axis=1)
    return count_BM, mean_BM, np.sqrt(square_BM / np.maximum(count_BM - 1, 1) / np.maximum(count_BM, 1))

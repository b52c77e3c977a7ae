"""Ridge regression of each candidate's quality on the features, its penalty by leave-one-out error.

Shapes: N prompts, M candidates, F features; K prompts on which the same C candidates were tried.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board
from components.tables.sampling import evenly

_MOST = 16_000
"""Prompts that the weights of a column are found from at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearConfig:
    """Penalties tried."""

    penalties: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0, 1000.0)
    """Each > 0; of the sum of squared weights beside the sum of squared errors."""

    def __post_init__(self) -> None:
        if not self.penalties or min(self.penalties) <= 0:
            raise ValueError(f"penalties must be > 0, got {self.penalties}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LinearModel:
    """Weights and intercepts."""

    weight_FM: NDArray[np.float64]
    intercept_M: NDArray[np.float64]
    seen_M: NDArray[np.bool_]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Linear predictions, shape (N, M); may exceed 1, for cutting there would lose the order."""
        return unseen_last(features_NF @ self.weight_FM + self.intercept_M, self.seen_M)


def fit(training: Board, seed: int, config: LinearConfig = LinearConfig()) -> LinearModel:
    """Ridge on the prompts that each candidate was tried on.

    Raises:
        ValueError: no outcome.
    """
    del seed
    tried_M = candidate_means(training.quality_NM) > 0
    weight_FM, intercept_M = ridges(training.features_NF, training.quality_NM, tried_M, config.penalties)
    return LinearModel(weight_FM=weight_FM, intercept_M=intercept_M, seen_M=tried_M)


def ridges(
    features_NF: NDArray[np.float32],
    target_NM: NDArray[np.float64],
    wanted_M: NDArray[np.bool_],
    penalties: tuple[float, ...],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ridge weights (F, M) and intercepts (M,), each column's penalty that of the least leave-one-out error.

    Args:
        features_NF: of all prompts.
        target_NM: nan where not known; columns known on the same prompts share one decomposition, of an even sample
            of these prompts where there are more than tell a few hundred weights apart.
        wanted_M: columns to fit; the others' weights are 0.
        penalties: to choose from, each > 0.
    """
    weight_FM, intercept_M = np.zeros((features_NF.shape[1], wanted_M.size)), np.zeros(wanted_M.size)
    patterns_PN, pattern_M = np.unique(np.isfinite(target_NM).T, axis=0, return_inverse=True)
    for pattern, known_N in enumerate(patterns_PN):
        columns = np.flatnonzero((pattern_M == pattern) & wanted_M)
        if columns.size and known_N.any():
            known_K = np.flatnonzero(known_N)
            known_K = known_K[evenly(known_K.size, _MOST)]
            target_KC = target_NM[np.ix_(known_K, columns)]
            # of one prompt nothing but its own outcome is known
            if len(target_KC) == 1:
                intercept_M[columns] = target_KC[0]
                continue
            # one decomposition for all penalties, which takes half the time of the default
            model = RidgeCV(list(penalties), alpha_per_target=True, gcv_mode="svd").fit(
                features_NF[known_K].astype(np.float64), target_KC
            )
            weight_FM[:, columns], intercept_M[columns] = model.coef_.reshape(columns.size, -1).T, model.intercept_
    return weight_FM, intercept_M

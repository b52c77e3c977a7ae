"""Ridge regression of each candidate's quality on the features, its penalty by generalised cross-validation.

Shapes: N prompts, M candidates, F features; K prompts on which the same C candidates were tried.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board


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
    """Ridge on the prompts each candidate was tried on; candidates tried on the same prompts are solved together.

    Raises:
        ValueError: no outcome.
    """
    del seed
    seen_M = candidate_means(training.quality_NM) > 0
    candidates, width = training.quality_NM.shape[1], training.features_NF.shape[1]
    weight_FM, intercept_M = np.zeros((width, candidates)), np.zeros(candidates)
    patterns_PN, pattern_M = np.unique(training.observed_NM.T, axis=0, return_inverse=True)
    for pattern, tried_N in enumerate(patterns_PN):
        columns = np.flatnonzero(pattern_M == pattern)
        if tried_N.any():
            features_KF = training.features_NF[tried_N].astype(np.float64)
            quality_KC = training.quality_NM[np.ix_(tried_N, columns)]
            weight_FM[:, columns], intercept_M[columns] = ridge(features_KF, quality_KC, config.penalties)
    return LinearModel(weight_FM=weight_FM, intercept_M=intercept_M, seen_M=seen_M)


def ridge(
    features_KF: NDArray[np.float64], target_KC: NDArray[np.float64], penalties: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (F, C) and intercepts (C,), the penalty chosen for each target by generalised cross-validation.

    GCV = (RSS / K) / (1 - degrees of freedom / K)^2 (Golub, Heath and Wahba 1979); the intercept isn't penalised and
    takes one degree of freedom.
    """
    rows = features_KF.shape[0]
    centre_F, centre_C = features_KF.mean(axis=0), target_KC.mean(axis=0)
    x_KF, y_KC = features_KF - centre_F, target_KC - centre_C
    value_F, vector_FF = np.linalg.eigh(x_KF.T @ x_KF)
    value_F = np.maximum(value_F, 0)
    rotated_FC = vector_FF.T @ (x_KF.T @ y_KC)
    best_C = np.full(target_KC.shape[1], np.inf)
    weight_FC = np.zeros_like(rotated_FC)
    for penalty in penalties:
        tried_FC = rotated_FC / (value_F + penalty)[:, None]
        # |y - Xw|^2 = |y|^2 - 2 w'X'y + w'X'Xw, in the eigenbasis.
        rss_C = (y_KC**2).sum(axis=0) - 2 * (tried_FC * rotated_FC).sum(axis=0) + value_F @ tried_FC**2
        freedom = 1 + (value_F / (value_F + penalty)).sum()
        score_C = np.maximum(rss_C, 0) / max(1 - freedom / rows, 1e-6) ** 2
        better_C = score_C < best_C
        best_C[better_C] = score_C[better_C]
        weight_FC[:, better_C] = tried_FC[:, better_C]
    weight_FC = vector_FF @ weight_FC
    return weight_FC, centre_C - centre_F @ weight_FC

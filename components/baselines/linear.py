"""Ridge regression from features to the quality of each candidate (Hoerl and Kennard 1970).

Shapes: N prompts, M candidates, F features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from components.baselines.protocol import TrainingSet


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """One hyperplane a candidate."""

    weight_FM: NDArray[np.float64]
    bias_M: NDArray[np.float64]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Linear quality, unbounded, shape (N, M)."""
        return features_NF @ self.weight_FM + self.bias_M


def linear(training: TrainingSet, seed: int, penalty: float = 3.0) -> Linear:
    """Fits each candidate on the prompts where it was observed; one that never was predicts 0. `seed` plays no part.

    Args:
        penalty: of the squared weights, > 0.
    """
    features, candidates = training.features_NF.shape[1], training.quality_NM.shape[1]
    weight_FM, bias_M = np.zeros((features, candidates)), np.zeros(candidates)
    patterns, pattern_M = np.unique(training.observed_NM, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        columns, rows = np.flatnonzero(pattern_M == pattern), np.flatnonzero(patterns[:, pattern])
        if rows.size:
            fitted = Ridge(alpha=penalty).fit(training.features_NF[rows], training.quality_NM[np.ix_(rows, columns)])
            weight_FM[:, columns] = np.reshape(fitted.coef_, (columns.size, features)).T
            bias_M[columns] = fitted.intercept_
    return Linear(weight_FM=weight_FM, bias_M=bias_M)

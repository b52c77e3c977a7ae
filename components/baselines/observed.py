"""What all methods share: means over what was observed, and how a candidate nobody has tried is ranked.

A candidate without a single training outcome is predicted 0, every other one more than 0: nothing speaks for it, so no
method ever chooses it. Shapes: N prompts, M candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-9
"""Least prediction for a candidate that was tried."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConstantModel:
    """Predicts the same for every prompt."""

    quality_M: NDArray[np.float64]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same row for every prompt, shape (N, M)."""
        return np.tile(self.quality_M, (features_NF.shape[0], 1))


def candidate_means(quality_NM: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each candidate's observed outcomes, shape (M,); 0 for a candidate without any.

    Args:
        quality_NM: quality in [0, 1]; nan where not observed.

    Raises:
        ValueError: nothing was observed at all.

    >>> candidate_means(np.array([[1.0, np.nan], [0.5, np.nan]])).tolist()
    [0.75, 0.0]
    """
    seen_NM = ~np.isnan(quality_NM)
    if not seen_NM.any():
        raise ValueError("the training set has no outcome")
    mean_M = np.where(seen_NM, quality_NM, 0.0).sum(axis=0) / np.maximum(seen_NM.sum(axis=0), 1)
    return unseen_last(mean_M, np.asarray(seen_NM.any(axis=0)))


def unseen_last(predicted: NDArray[np.float64], seen_M: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Predictions, shape (..., M), with untried candidates at 0 and all others above."""
    return np.where(seen_M, np.maximum(predicted, LEAST), 0.0)


def choice_outcomes(predicted_NM: NDArray[np.float64], quality_NM: NDArray[np.float64]) -> NDArray[np.float64]:
    """Observed quality of the best predicted candidate, among those observed, of each prompt with any."""
    seen_NM = np.isfinite(quality_NM)
    rows_K = np.flatnonzero(seen_NM.any(axis=1))
    choice_K = np.where(seen_NM, predicted_NM, -np.inf)[rows_K].argmax(axis=1)
    return np.asarray(quality_NM[rows_K, choice_K])


def choice_quality(predicted_NM: NDArray[np.float64], quality_NM: NDArray[np.float64]) -> float:
    """Mean of `choice_outcomes`.

    >>> choice_quality(np.array([[0.9, 0.5], [0.9, 0.5]]), np.array([[1.0, 0.0], [np.nan, 0.5]]))
    0.75
    """
    return float(choice_outcomes(predicted_NM, quality_NM).mean())

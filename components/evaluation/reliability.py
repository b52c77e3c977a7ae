"""Reliability diagrams and the expected calibration error. Shapes: N prompts, M candidates, B bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reliability:
    """Predicted against observed quality in bins of equal width; on the diagonal where calibrated."""

    predicted_B: Floats
    """Mean predicted quality of each bin; nan where it is empty."""
    observed_B: Floats
    """Mean observed quality of each bin; nan where it is empty."""
    count_B: NDArray[np.int64]

    @property
    def ece(self) -> float:
        """Expected calibration error, in [0, 1]: mean gap of the bins, by count (Guo et al., equation 3)."""
        if not self.count_B.sum():
            return float("nan")
        filled_B = self.count_B > 0
        gap = np.abs(self.predicted_B - self.observed_B)[filled_B]
        return float(np.average(gap, weights=self.count_B[filled_B]))


def reliability(predicted_NM: Floats, quality_NM: Floats, bins: int = 10) -> Reliability:
    """The reliability diagram of all observed cells.

    Args:
        predicted_NM: predicted quality in [0, 1], shape (N, M).
        quality_NM: observed quality in [0, 1], nan where not observed, shape (N, M).
        bins: B >= 1.

    Raises:
        ValueError: bins < 1, or the shapes differ.

    >>> reliability(np.array([[0.9], [0.9], [0.1]]), np.array([[1.0], [0.6], [np.nan]]), bins=2).observed_B.tolist()
    [nan, 0.8]
    """
    if bins < 1:
        raise ValueError(f"bins must be >= 1, got {bins}")
    if predicted_NM.shape != quality_NM.shape:
        raise ValueError(f"predicted {predicted_NM.shape} and observed {quality_NM.shape} differ in shape")
    seen_NM = np.isfinite(quality_NM)
    predicted_K, quality_K = predicted_NM[seen_NM], quality_NM[seen_NM]
    bin_K = np.minimum((predicted_K * bins).astype(np.intp), bins - 1)
    count_B = np.bincount(bin_K, minlength=bins)
    divisor_B = np.where(count_B > 0, count_B, np.nan)
    return Reliability(
        predicted_B=np.bincount(bin_K, predicted_K, minlength=bins) / divisor_B,
        observed_B=np.bincount(bin_K, quality_K, minlength=bins) / divisor_B,
        count_B=count_B.astype(np.int64),
    )


def expected_calibration_error(predicted_NM: Floats, quality_NM: Floats, bins: int = 10) -> float:
    """Expected calibration error over all observed cells, in [0, 1]; nan where none was observed.

    >>> expected_calibration_error(np.array([[0.75, 0.25]]), np.array([[1.0, 0.0]]))
    0.25
    """
    return reliability(predicted_NM, quality_NM, bins).ece

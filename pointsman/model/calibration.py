"""Predicted quality made to mean what it says, a candidate at a time. Shapes: N prompts, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.model.weights import sigmoid

Floats = NDArray[np.float64]
FLOOR = 1e-4
"""Predictions are held this far from 0 and 1, where logits end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """q -> sigmoid(slope x logit(q) + intercept) for each candidate (Platt 1999; Guo et al., arXiv 1706.04599)."""

    slope_M: Floats
    """> 0."""
    intercept_M: Floats

    def apply(self, quality_NM: Floats) -> Floats:
        """Calibrated quality, in [0, 1], shape (N, M); each column keeps its order."""
        return sigmoid(self.slope_M * logit(quality_NM) + self.intercept_M)


def identity(candidates: int) -> Calibration:
    """The calibration that changes nothing (beyond holding predictions off 0 and 1)."""
    return Calibration(slope_M=np.ones(candidates), intercept_M=np.zeros(candidates))


def logit(quality: Floats) -> Floats:
    """log(q / (1 - q)), of q held off 0 and 1.

    >>> logit(np.array([0.5])).tolist()
    [0.0]
    """
    held = np.clip(quality, FLOOR, 1 - FLOOR)
    return np.log(held) - np.log1p(-held)

"""Intervals of paired comparisons in closed form, at any level. Shapes: N prompts.

The bootstrap of `bootstrap.py` would need thousands of resamples at the levels that a year of verdicts asks for.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from components.evaluation.bootstrap import Interval
from components.tables.groups import design_effect, group_count

Floats = NDArray[np.float64]
_FEW_GROUPS = 100
"""Below so many groups the error itself is uncertain, and Student's t takes the place of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """A mean and its standard error."""

    mean: float
    error: float
    """>= 0."""
    count: int
    """Prompts."""
    groups: int | None = None
    """Groups that they form; None: no two share one."""

    def reach(self, level: float) -> float:
        """Standard errors that the mean is off by with probability `level`, one-sided.

        Raises:
            ValueError: level outside (0, 0.5].
        """
        normal = critical(level)
        if self.groups is None or self.groups >= _FEW_GROUPS:
            return normal
        return float(-stdtrit(max(self.groups - 1, 1), level))

    def interval(self, level: float) -> Interval:
        """The ends that the mean is below, and above, each with error probability `level`.

        Raises:
            ValueError: level outside (0, 0.5].

        >>> Moments(mean=0.0, error=1.0, count=9).interval(0.025).low.__round__(2)
        -1.96
        """
        half = self.reach(level) * self.error
        return Interval(mean=self.mean, low=self.mean - half, high=self.mean + half)


def critical(level: float) -> float:
    """Standard errors that a normal estimate exceeds with probability `level`.

    Raises:
        ValueError: level outside (0, 0.5].
    """
    if not 0 < level <= 0.5:
        raise ValueError(f"level must be in (0, 0.5], got {level}")
    return float(-ndtri(level))


def difference(
    a_N: Floats, b_N: Floats, group_N: NDArray[np.integer] | None = None, variance_N: Floats | None = None
) -> Moments:
    """Mean of a - b and its standard error, as if one prompt more had gone each way (Agresti and Min 2005).

    Without those two, forty prompts that happen to agree would have an interval of no width. Where the two never
    differ at all they are one, and the difference is exactly 0.

    Args:
        a_N: one value a prompt.
        b_N: the other's on the same prompts.
        group_N: prompts that belong together, such as turns of a conversation; None: all are independent.
        variance_N: what a - b varies by at least where the two differ, for stand-ins of outcomes: of a few that weigh
            much the spread can be small by luck. None: the spread tells.

    Raises:
        ValueError: the two differ in length, are empty, or hold a nan.

    >>> difference(np.array([1.0, 0.0]), np.array([0.0, 0.0])).mean
    0.5
    """
    if a_N.shape != b_N.shape:
        raise ValueError(f"paired values differ in shape: {a_N.shape} and {b_N.shape}")
    if a_N.size == 0:
        raise ValueError("no prompts to compare")
    gap_N = a_N - b_N
    if np.isnan(gap_N).any():
        raise ValueError("a value is nan: compare only prompts on which everything is known")
    count, mean = int(gap_N.size), float(gap_N.mean())
    if not gap_N.any():
        return Moments(mean=0.0, error=0.0, count=count)
    variance = (float((gap_N**2).sum()) + 2) / (count + 2) - (float(gap_N.sum()) / (count + 2)) ** 2
    error = np.sqrt(variance / (count + 2) * design_effect(gap_N, group_N))
    if variance_N is not None:
        error = max(error, np.sqrt(variance_N[gap_N != 0].sum()) / count)
    return Moments(mean=mean, error=float(error), count=count, groups=group_count(group_N))


def ratio(a_N: Floats, b_N: Floats, group_N: NDArray[np.integer] | None = None) -> Moments:
    """Mean of a relative to the mean of b, with the standard error of the delta method (Cochran 1977, section 6.4).

    Args:
        a_N: such as USD a prompt, >= 0.
        b_N: the same of what it is compared with; a mean > 0.
        group_N: prompts that belong together; None: all are independent.

    Raises:
        ValueError: the two differ in length, are empty or hold a nan, or the mean of b isn't > 0.

    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 2.0]))
    Moments(mean=0.5, error=0.0, count=2, groups=None)
    """
    if a_N.shape != b_N.shape or a_N.size == 0:
        raise ValueError(f"want as many prompts of both, at least one: got {a_N.shape} and {b_N.shape}")
    if np.isnan(a_N).any() or np.isnan(b_N).any():
        raise ValueError("a cost is nan: compare only prompts on which both are known")
    below = float(b_N.mean())
    if not below > 0:
        raise ValueError(f"a ratio needs a mean > 0 below, got {below}")
    mean = float(a_N.mean()) / below
    residual_N = (a_N - mean * b_N) / below
    error = residual_N.std() / np.sqrt(a_N.size) * np.sqrt(design_effect(residual_N, group_N))
    return Moments(mean=mean, error=float(error), count=int(a_N.size), groups=group_count(group_N))


def prompts_needed(moments: Moments, threshold: float, level: float) -> int | None:
    """How many prompts in all would put the interval's low end at the threshold, were the mean to stay as it is.

    None: more prompts wouldn't help, the mean itself doesn't clear the threshold.

    >>> prompts_needed(Moments(mean=0.01, error=0.01, count=100), 0.0, 0.025)
    385
    """
    distance = moments.mean - threshold
    if distance <= 0:
        return None
    return int(np.ceil(moments.count * (moments.reach(level) * moments.error / distance) ** 2))

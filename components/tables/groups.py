"""Prompts that aren't independent: turns of one conversation, near-duplicates. Shapes: N prompts, G groups."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def numbered(group_N: NDArray[np.integer]) -> NDArray[np.intp]:
    """Numbers from 0 without gaps; a group below 0 is none, so that each such prompt is one of its own.

    >>> numbered(np.array([7, -1, 7, -1])).tolist()
    [2, 1, 2, 0]
    """
    apart_N = np.where(group_N < 0, -1 - np.arange(group_N.size), group_N)
    return np.asarray(np.unique(apart_N, return_inverse=True)[1], dtype=np.intp)


def design_effect(value_N: Floats, group_N: NDArray[np.integer] | None) -> float:
    """Factor by which dependence within groups widens the variance of a mean, at least 1 (Kish 1965, section 5.4).

    Around their own mean G groups vary by (G - 1) / G of what they vary by (Cameron and Miller 2015, section VI.B);
    what one group says is one thing said N times.

    Args:
        value_N: one value a prompt.
        group_N: which prompts belong together; below 0: to nothing. None: all are independent.

    >>> design_effect(np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1]))
    4.0
    """
    if group_N is None:
        return 1.0
    number_N = numbered(group_N)
    count = int(number_N.max(initial=-1)) + 1
    if count == value_N.size:
        return 1.0
    if count == 1:
        return float(value_N.size)
    centred_N = value_N - value_N.mean()
    alone = float((centred_N**2).sum())
    if alone == 0:
        return 1.0
    together = float((np.bincount(number_N, weights=centred_N) ** 2).sum())
    return max(1.0, together / alone * count / (count - 1))


def design_effects(value_NK: Floats, group_N: NDArray[np.integer] | None) -> Floats:
    """The design effect of each column's known values, shape (K,); nan: unknown.

    >>> value_NK = np.array([[1.0, 1.0], [1.0, np.nan], [0.0, 0.0], [0.0, np.nan]])
    >>> design_effects(value_NK, np.array([0, 0, 1, 1])).tolist()
    [4.0, 1.0]
    """
    if group_N is None:
        return np.ones(value_NK.shape[1])
    known_NK = np.isfinite(value_NK)
    pairs = zip(value_NK.T, known_NK.T, strict=True)
    return np.array([design_effect(value_N[known_N], group_N[known_N]) for value_N, known_N in pairs])


def group_count(group_N: NDArray[np.integer] | None) -> int | None:
    """How many groups there are, a prompt without one counting as one; None: no two prompts share one.

    >>> group_count(np.array([7, 7, -1, -1])), group_count(np.array([1, 2, 3]))
    (3, None)
    """
    if group_N is None:
        return None
    count = int(numbered(group_N).max(initial=-1)) + 1
    return None if count == group_N.size else count


def divisible(group_N: NDArray[np.integer]) -> NDArray[np.integer]:
    """The groups, or each prompt on its own where all are one group: what has to be divided is divided nevertheless.

    >>> divisible(np.array([7, 7, -1])).tolist(), divisible(np.array([7, 7, 7])).tolist()
    ([7, 7, -1], [-1, -1, -1])
    """
    return np.full_like(group_N, -1) if group_count(group_N) == 1 else group_N

"""Which rows stand for all of large logs: what learns from a sample is linear in the rest. Shapes: N prompts."""

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def evenly(count: int, most: int) -> Rows:
    """All rows, or `most` of them at equal distances: logs are in order of time, and so is the sample.

    Raises:
        ValueError: most < 1.

    >>> evenly(3, 5).tolist(), evenly(10, 4).tolist()
    ([0, 1, 2], [0, 3, 6, 9])
    """
    if most < 1:
        raise ValueError(f"a sample needs at least one row, got {most}")
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.intp)


def evenly_within(group_N: NDArray[np.integer], most: int) -> Rows:
    """All rows, or `most` of them in ascending order, each group in proportion to its size.

    >>> evenly_within(np.array([0, 0, 0, 0, 1, 1]), 3).tolist()
    [0, 2, 5]
    """
    if group_N.size <= most:
        return np.arange(group_N.size)
    order_N = np.argsort(group_N, kind="stable")
    return np.sort(order_N[evenly(group_N.size, most)])


def informative(group_N: NDArray[np.integer], outcomes_N: NDArray[np.integer], most: int) -> Rows:
    """All rows, or `most` of them in ascending order: those with several outcomes first, then equally many a group.

    What is rare is learnt from few rows, so each of them tells more than one of many. A choice by group and number of
    outcomes, not by the outcomes themselves, leaves what is learnt given a prompt unbiased.

    Args:
        group_N: such as the task and the candidate asked, as one number.
        outcomes_N: observed outcomes of each row.
        most: rows, >= 1.

    >>> informative(np.array([0, 0, 0, 0, 1]), np.array([1, 1, 1, 1, 1]), 3).tolist()
    [0, 1, 4]
    """
    if group_N.size <= most:
        return np.arange(group_N.size)
    order_N = np.argsort(group_N, kind="stable")
    first_N = np.searchsorted(group_N[order_N], group_N[order_N])
    rank_N = np.empty(group_N.size, dtype=np.intp)
    rank_N[order_N] = np.arange(group_N.size) - first_N
    single_N = outcomes_N < 2
    return np.sort(np.lexsort((group_N, rank_N, single_N))[:most])

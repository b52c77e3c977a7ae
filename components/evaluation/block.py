"""Which prompts and candidates may be compared: all of the candidates observed on all of the prompts.

Shapes: N prompts, M candidates; K and C those of the block.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A complete rectangle of outcomes."""

    rows_K: NDArray[np.intp]
    columns_C: NDArray[np.intp]


def common_block(observed_NM: NDArray[np.bool_], required: tuple[int, ...] = ()) -> Block:
    """The prompts and candidates, all observed, with the greatest prompts x candidates a greedy search meets.

    Starts with every candidate and drops, one at a time, the one whose absence completes most prompts (ties: the less
    observed, then the later column). Of the rectangles met with at least 2 candidates, the largest wins, and of equal
    ones the one with more candidates. Complete outcomes are returned whole.

    Args:
        observed_NM: where quality was observed, shape (N, M).
        required: columns that are never dropped, such as the best single candidate.

    Raises:
        ValueError: no prompt on which two candidates (and the required ones) were all observed.
    """
    columns = list(range(observed_NM.shape[1]))
    best, area = columns, -1
    while len(columns) >= 2:
        missing_N = (~observed_NM[:, columns]).sum(axis=1)
        if (complete := int((missing_N == 0).sum())) * len(columns) > area:
            best, area = list(columns), complete * len(columns)
        droppable = [column for column in columns if column not in required]
        if not droppable:
            break
        alone_N = missing_N == 1
        gain = {c: int((alone_N & ~observed_NM[:, c]).sum()) for c in droppable}
        columns.remove(max(droppable, key=lambda c: (gain[c], -int(observed_NM[:, c].sum()), c)))
    if area <= 0:
        raise ValueError("no common prompts: there is no prompt on which two candidates were both observed")
    rows_K = np.flatnonzero(observed_NM[:, best].all(axis=1))
    return Block(rows_K=rows_K, columns_C=np.array(best, dtype=np.intp))

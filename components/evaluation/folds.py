"""Divisions for comparing methods: each prompt is judged once, by what was trained without it and its like."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

Rows = NDArray[np.intp]


def grouped_folds(
    group_N: NDArray[np.integer], label_N: NDArray[np.str_], folds: int, seed: int
) -> Iterator[tuple[Rows, Rows]]:
    """Training and test rows, fold by fold; groups stay whole and labels keep their shares as far as groups allow.

    Args:
        group_N: near-duplicate group of each prompt.
        label_N: benchmark of each prompt.
        folds: >= 2.
        seed: of the order in which groups fall to folds.

    Raises:
        ValueError: folds < 2, or more folds than groups.
    """
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train_K, test_K in splitter.split(np.zeros(group_N.size), label_N, group_N):
        yield np.asarray(train_K, dtype=np.intp), np.asarray(test_K, dtype=np.intp)

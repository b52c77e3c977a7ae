"""What is drawn as one: groups of prompts that belong together, and prompts that belong to none. N prompts, U units."""

import numpy as np
from numpy.typing import NDArray

from components.tables.groups import divisible, numbered

Rows = NDArray[np.intp]


def units(group_N: NDArray[np.integer]) -> Rows:
    """The unit of each prompt, numbered from 0 by first prompt: turns of a conversation and near-duplicates share one.

    Where no two prompts share a group the units are the rows, so that what is drawn of units is drawn of prompts. One
    group of everything can't be divided, and its prompts are units.

    Args:
        group_N: which prompts belong together; below 0: to nothing.

    >>> units(np.array([7, -1, 7, 3, -1])).tolist(), units(np.array([4, 4])).tolist()
    ([0, 1, 0, 2, 3], [0, 1])
    """
    _, first_U, place_N = np.unique(numbered(divisible(group_N)), return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first_U))[place_N], dtype=np.intp)


def dealt(unit_N: Rows, folds: int, seed: int) -> Rows:
    """The fold of each row: units stay whole, and of as many units each as can be.

    Args:
        unit_N: numbered from 0 without gaps.
        folds: >= 1.
        seed: of the deal.

    >>> fold_N = dealt(np.array([0, 0, 1, 2, 3]), 2, 0)
    >>> fold_N[0] == fold_N[1], np.bincount(fold_N[1:]).tolist()
    (np.True_, [2, 2])
    """
    units_dealt = int(unit_N.max(initial=-1)) + 1
    return np.asarray((np.random.default_rng(seed).permutation(units_dealt) % folds)[unit_N], dtype=np.intp)


def members(unit_N: Rows) -> list[Rows]:
    """Rows of each unit, ascending.

    >>> [rows.tolist() for rows in members(np.array([0, 1, 0, 2]))]
    [[0, 2], [1], [3]]
    """
    return np.split(np.argsort(unit_N, kind="stable"), np.cumsum(np.bincount(unit_N))[:-1])


def joined(parts: list[Rows]) -> Rows:
    """Rows of some units, one unit after another.

    >>> joined([np.array([3]), np.array([0, 2])]).tolist(), joined([]).tolist()
    ([3, 0, 2], [])
    """
    return np.concatenate([np.empty(0, dtype=np.intp), *parts])


def apart(group_N: NDArray[np.integer], share: float, seed: int) -> NDArray[np.bool_]:
    """A draw of prompts to hold apart from the others, whole units at a time.

    Of few groups a draw may hold all or none; at least one is then held, and one left.

    Args:
        group_N: which prompts belong together; below 0: to nothing.
        share: of the units, in (0, 1).
        seed: of the draw.

    >>> apart(np.array([5, 5, 9, 9]), 0.125, 0).tolist()
    [False, False, True, True]
    """
    unit_N = units(group_N)
    drawn_U = np.random.default_rng(seed).random(int(unit_N.max()) + 1)
    apart_U = drawn_U < share
    if 1 < drawn_U.size < unit_N.size and (apart_U.all() or not apart_U.any()):
        apart_U = drawn_U == drawn_U.min()
    return np.asarray(apart_U[unit_N], dtype=np.bool_)


def tenth(group_N: NDArray[np.integer], seed: int) -> tuple[Rows, Rows]:
    """Prompts held out to stop a training by, a tenth of them or little more, and the others, in the order drawn.

    Units stay whole: by turns of conversations that are learnt from, training would stop only once these are known by
    heart. Units of more than a tenth are held out only where smaller ones don't do, the smallest first, and the largest
    never is. Fewer than ten prompts can't spare one.

    Args:
        group_N: which prompts belong together; below 0: to nothing.
        seed: of the order.

    >>> held_K, rest_K = tenth(np.repeat(np.arange(10), 2), 0)
    >>> held_K.tolist(), rest_K.size
    ([4, 5], 18)
    """
    order_N = np.random.default_rng(seed).permutation(group_N.size)
    wanted, unit_N = group_N.size // 10, units(group_N[order_N])
    size_U = np.bincount(unit_N)
    rank_U = np.argsort(np.maximum(size_U, wanted), kind="stable")[:-1]
    before_U = np.cumsum(size_U[rank_U]) - size_U[rank_U]
    held_N = np.isin(unit_N, rank_U[before_U < wanted])
    return order_N[held_N], order_N[~held_N]

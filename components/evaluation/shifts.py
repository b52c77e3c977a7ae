"""Divisions of prompts that don't resemble each other: what a router meets after it is published. N prompts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """Training rows and test rows that share no value of what shifts, and no group."""

    name: str
    train_K: NDArray[np.intp]
    test_K: NDArray[np.intp]


def leave_one_out(
    label_N: NDArray[np.str_], minimum: int = 1, group_N: NDArray[np.integer] | None = None
) -> Iterator[Shift]:
    """One shift for each label (benchmark, language) with at least `minimum` prompts; empty labels are in training.

    Args:
        label_N: of each prompt.
        minimum: prompts of a label.
        group_N: near-duplicates and turns of one conversation, below 0: of nothing. What belongs with a prompt of the
            label isn't in training, and where nothing else is there is no shift. None: all are independent.

    Raises:
        ValueError: fewer than two labels.
    """
    names, count = np.unique(label_N, return_counts=True)
    if len(names[names != ""]) < 2:
        raise ValueError(f"leaving one out needs at least two labels, got {names.tolist()}")
    for name, size in zip(names, count, strict=True):
        test_K = np.flatnonzero(label_N == name)
        train_K = untouched(np.flatnonzero(label_N != name), test_K, group_N)
        if name != "" and size >= minimum and train_K.size:
            yield Shift(name=str(name), train_K=train_K, test_K=test_K)


def by_date(
    date_N: NDArray[np.datetime64], test_share: float = 0.2, group_N: NDArray[np.integer] | None = None
) -> Shift:
    """Trains on the earlier prompts and tests on the later; a day is never divided, undated prompts are left out.

    Args:
        date_N: day of each prompt.
        test_share: about so many of the prompts are later, in (0, 1).
        group_N: as of `leave_one_out`: a conversation that went on later isn't in training.

    Raises:
        ValueError: a share outside (0, 1), fewer than two days, or nothing earlier that doesn't belong with the later.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must be in (0, 1), got {test_share}")
    dated = ~np.isnat(date_N)
    days = np.unique(date_N[dated])
    if len(days) < 2:
        raise ValueError(f"a shift by date needs at least two days, got {len(days)}")
    ordered = np.sort(date_N[dated])
    first = max(ordered[int(len(ordered) * (1 - test_share))], days[1])
    test_K = np.flatnonzero(dated & (date_N >= first))
    train_K = untouched(np.flatnonzero(dated & (date_N < first)), test_K, group_N)
    if not train_K.size:
        raise ValueError(f"all prompts before {first} belong with later ones")
    return Shift(name=f"from {first}", train_K=train_K, test_K=test_K)


def untouched(
    train_K: NDArray[np.intp], test_K: NDArray[np.intp], group_N: NDArray[np.integer] | None
) -> NDArray[np.intp]:
    """Training rows whose group has no test row.

    >>> untouched(np.array([0, 1, 2]), np.array([3]), np.array([7, -1, 4, 7])).tolist()
    [1, 2]
    """
    if group_N is None:
        return train_K
    touched = group_N[test_K]
    return train_K[~np.isin(group_N[train_K], touched[touched >= 0])]

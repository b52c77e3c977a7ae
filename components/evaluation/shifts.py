"""Divisions of prompts that don't resemble each other: what a router meets after it is published. N prompts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """Training rows and test rows that share no value of what shifts."""

    name: str
    train_K: NDArray[np.intp]
    test_K: NDArray[np.intp]


def leave_one_out(label_N: NDArray[np.str_], minimum: int = 1) -> Iterator[Shift]:
    """One shift for each label (benchmark, language) with at least `minimum` prompts; empty labels are in training.

    Raises:
        ValueError: fewer than two labels.
    """
    names, count = np.unique(label_N, return_counts=True)
    if len(names[names != ""]) < 2:
        raise ValueError(f"leaving one out needs at least two labels, got {names.tolist()}")
    for name, size in zip(names, count, strict=True):
        if name != "" and size >= minimum:
            yield Shift(name=str(name), train_K=np.flatnonzero(label_N != name), test_K=np.flatnonzero(label_N == name))


def by_date(date_N: NDArray[np.datetime64], test_share: float = 0.2) -> Shift:
    """Trains on the earlier prompts and tests on the later; a day is never divided, undated prompts are left out.

    Raises:
        ValueError: a share outside (0, 1), or fewer than two days.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"test_share must be in (0, 1), got {test_share}")
    dated = ~np.isnat(date_N)
    days = np.unique(date_N[dated])
    if len(days) < 2:
        raise ValueError(f"a shift by date needs at least two days, got {len(days)}")
    ordered = np.sort(date_N[dated])
    first = max(ordered[int(len(ordered) * (1 - test_share))], days[1])
    return Shift(
        name=f"from {first}",
        train_K=np.flatnonzero(dated & (date_N < first)),
        test_K=np.flatnonzero(dated & (date_N >= first)),
    )

"""A partition of prompts into tasks, whatever found it. Shapes: N prompts, T tasks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pointsman.model.aggregate import UNASSIGNED


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partition:
    """Which task each prompt belongs to; tasks are numbered 0..T-1 by size, largest first."""

    task_N: NDArray[np.int32]
    """Task of each prompt; -1: unassigned."""
    membership_N: NDArray[np.float32]
    """How firmly each prompt belongs to its task, in [0, 1]; 0 where unassigned."""

    def __post_init__(self) -> None:
        if self.task_N.shape != self.membership_N.shape or self.task_N.ndim != 1:
            raise ValueError(
                f"task {self.task_N.shape} and membership {self.membership_N.shape} must be equal and flat"
            )
        if self.task_N.size and self.task_N.min() < UNASSIGNED:
            raise ValueError(f"task numbers start at {UNASSIGNED}, got {self.task_N.min()}")

    @property
    def tasks(self) -> int:
        """T, the number of tasks."""
        return int(self.task_N.max(initial=UNASSIGNED)) + 1

    def take(self, rows_K: NDArray[np.intp]) -> "Partition":
        """The same of a choice of prompts, in its order; tasks keep their numbers."""
        return Partition(task_N=self.task_N[rows_K], membership_N=self.membership_N[rows_K])

    @property
    def unassigned_share(self) -> float:
        """Share of prompts in no task, in [0, 1]."""
        return float(np.mean(self.task_N == UNASSIGNED)) if self.task_N.size else 0.0


def members(group_N: NDArray[np.integer], groups: int) -> csr_array:
    """Which prompts each group has, as a matrix of ones that sums rows by group, shape (groups, N); -1: in none.

    >>> (members(np.array([1, -1, 1]), 2) @ np.array([[1.0], [2.0], [3.0]])).tolist()
    [[0.0], [4.0]]
    """
    known_K = np.flatnonzero(group_N >= 0)
    return csr_array((np.ones(known_K.size), (group_N[known_K], known_K)), shape=(groups, group_N.size))


def from_labels(
    label_N: NDArray[np.integer], *, minimum_size: int, membership_N: NDArray[np.floating] | None = None
) -> Partition:
    """Any labelling as a Partition: small groups become unassigned, the rest are numbered by size, largest first.

    Args:
        label_N: arbitrary integer labels, shape (N,); negative: unassigned.
        minimum_size: prompts a task must have, >= 1.
        membership_N: strength of each assignment in [0, 1], shape (N,); 1 if not given.

    Raises:
        ValueError: minimum_size < 1.

    >>> from_labels(np.array([7, 7, 7, 3, 3, 9, -1]), minimum_size=2).task_N.tolist()
    [0, 0, 0, 1, 1, -1, -1]
    """
    if minimum_size < 1:
        raise ValueError(f"minimum_size must be >= 1, got {minimum_size}")
    label_N = np.asarray(label_N)
    names, inverse_N, counts = np.unique(label_N, return_inverse=True, return_counts=True)
    keep = (counts >= minimum_size) & (names >= 0)
    order = np.lexsort((names, -counts))
    order = order[keep[order]]
    number = np.full(names.size, UNASSIGNED, dtype=np.int32)
    number[order] = np.arange(order.size, dtype=np.int32)
    task_N = number[inverse_N].astype(np.int32)
    strength_N = np.ones(task_N.shape) if membership_N is None else np.asarray(membership_N)
    return Partition(task_N=task_N, membership_N=np.where(task_N >= 0, strength_N, 0).astype(np.float32))

"""Which new task is which old one after a retrain. Shapes: O old tasks, T new ones, S prompts in both partitions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from components.tasks.partition import Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchConfig:
    """How much overlap makes a task the same one."""

    minimum_overlap: float = 0.3
    """Least Jaccard overlap of a match, in (0, 1]."""
    part: float = 0.25
    """Least share of a task, in (0, 1], that counts as a part of it in a split or merger."""

    def __post_init__(self) -> None:
        for name in ("minimum_overlap", "part"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matching:
    """What became of every task."""

    old_T: NDArray[np.int32]
    """The old task that each new one continues; -1: none."""
    overlap_T: NDArray[np.float64]
    """Jaccard overlap with it, over prompts in both partitions; 0 without a match."""
    born: tuple[int, ...]
    """New tasks that continue none and aren't part of a split."""
    died: tuple[int, ...]
    """Old tasks that no new one continues and that weren't merged into another."""
    split: dict[int, tuple[int, ...]]
    """Old task to the new ones that each hold a part of it, where there are several."""
    merged: dict[int, tuple[int, ...]]
    """New task to the old ones that each are a part of it, where there are several."""


def match_tasks(
    old_ids: Sequence[str],
    old: Partition,
    new_ids: Sequence[str],
    new: Partition,
    config: MatchConfig | None = None,
) -> Matching:
    """The one-to-one matching of largest total Jaccard overlap (Kuhn 1955), weak matches dropped.

    Counted over the prompts that both partitions know, whether or not assigned; a new prompt can't speak for identity.

    Args:
        old_ids: prompt ids of the old partition, unique.
        old: the champion's partition.
        new_ids: prompt ids of the new partition, unique.
        new: the retrain's partition.
        config: thresholds.

    Raises:
        ValueError: ids that don't fit their partition, or repeat.

    >>> from components.tasks.partition import from_labels
    >>> before = from_labels(np.array([0, 0, 0, 1, 1]), minimum_size=1)
    >>> after = from_labels(np.array([5, 5, 3, 3, 3]), minimum_size=1)
    >>> match_tasks("abcde", before, "deabc", after).old_T.tolist()
    [0, 1]
    """
    config = config or MatchConfig()
    for name, ids, partition in (("old", old_ids, old), ("new", new_ids, new)):
        if len(ids) != partition.task_N.size:
            raise ValueError(f"{len(ids)} {name} ids for a partition of {partition.task_N.size} prompts")
        if len(set(ids)) != len(ids):
            raise ValueError(f"{name} ids repeat")
    where = {prompt_id: row for row, prompt_id in enumerate(old_ids)}
    shared = [(where[prompt_id], row) for row, prompt_id in enumerate(new_ids) if prompt_id in where]
    row_S2 = np.array(shared, dtype=np.int64).reshape(-1, 2)
    old_S, new_S = old.task_N[row_S2[:, 0]], new.task_N[row_S2[:, 1]]

    count_OT = np.zeros((old.tasks, new.tasks))
    both_S = (old_S >= 0) & (new_S >= 0)
    np.add.at(count_OT, (old_S[both_S], new_S[both_S]), 1)
    size_O = np.bincount(old_S[old_S >= 0], minlength=old.tasks)[:, None]
    size_T = np.bincount(new_S[new_S >= 0], minlength=new.tasks)[None, :]
    jaccard_OT = count_OT / np.maximum(size_O + size_T - count_OT, 1)

    old_T = np.full(new.tasks, -1, dtype=np.int32)
    for left, right in zip(*linear_sum_assignment(jaccard_OT, maximize=True), strict=True):
        if jaccard_OT[left, right] >= config.minimum_overlap:
            old_T[right] = left
    overlap_T = np.array([jaccard_OT[left, task] if left >= 0 else 0.0 for task, left in enumerate(old_T)])
    of_old_OT = (count_OT > 0) & (count_OT >= config.part * size_O)
    of_new_OT = (count_OT > 0) & (count_OT >= config.part * size_T)
    split = {task: _where(of_old_OT[task]) for task in range(old.tasks) if of_old_OT[task].sum() > 1}
    merged = {task: _where(of_new_OT[:, task]) for task in range(new.tasks) if of_new_OT[:, task].sum() > 1}
    parts = {task for group in split.values() for task in group}
    swallowed = {task for group in merged.values() for task in group}
    return Matching(
        old_T=old_T,
        overlap_T=overlap_T,
        born=tuple(task for task in range(new.tasks) if old_T[task] < 0 and task not in parts),
        died=tuple(task for task in range(old.tasks) if task not in old_T and task not in swallowed),
        split=split,
        merged=merged,
    )


def carry_names(matching: Matching, old_names: Sequence[str], new_names: Sequence[str]) -> tuple[str, ...]:
    """Each new task's name: the old one's where it continues one, else its own, numbered if that is taken.

    Args:
        matching: of T new tasks.
        old_names: unique ids or labels of the old tasks.
        new_names: names proposed for the new ones.

    Raises:
        ValueError: another number of new names than of new tasks.
    """
    if len(new_names) != matching.old_T.size:
        raise ValueError(f"{len(new_names)} names for {matching.old_T.size} tasks")
    # Names of tasks that died stay taken: history must not call two tasks the same.
    taken, names = set(old_names), list(new_names)
    for task, old in enumerate(matching.old_T.tolist()):
        if old >= 0:
            names[task] = old_names[old]
            continue
        stem, number = names[task], 2
        while names[task] in taken:
            names[task], number = f"{stem} ({number})", number + 1
        taken.add(names[task])
    return tuple(names)


def _where(flag_X: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(index) for index in np.flatnonzero(flag_X))

"""Which tasks of a retrain are the champion's: ids that are never given twice, labels that stay, and what changed.

Shapes: N prompts, T tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from components.tasks.matching import MatchConfig, Matching, carry_names, match_tasks
from components.tasks.partition import Partition


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedTasks:
    """A partition whose tasks have names that last."""

    prompt_ids: tuple[str, ...]
    """Of the N prompts."""
    partition: Partition
    ids: tuple[str, ...]
    """Of the T tasks, such as t7: stable from one retrain to the next, never given to another task."""
    labels: tuple[str, ...]
    issued: int
    """Ids ever given in this line of routers."""
    named_by: str
    """What proposed the labels: 'keywords', or a language model's name."""
    identity: dict[str, Any]
    """What became of the champion's tasks, by label, as plain JSON: previous, kept, mean_overlap, born, died, split,
    merged."""


def first_tasks(prompt_ids: Sequence[str], partition: Partition, labels: Sequence[str], named_by: str) -> NamedTasks:
    """Tasks where there is no champion: every one is new.

    Args:
        prompt_ids: unique, N of them.
        partition: of those prompts.
        labels: unique, one a task.
        named_by: what proposed them.

    Raises:
        ValueError: another number of ids than of prompts, or of labels than of tasks.
    """
    if len(prompt_ids) != partition.task_N.size or len(labels) != partition.tasks:
        raise ValueError(
            f"{len(prompt_ids)} ids and {len(labels)} labels for {partition.task_N.size} prompts "
            f"in {partition.tasks} tasks"
        )
    return NamedTasks(
        prompt_ids=tuple(prompt_ids),
        partition=partition,
        ids=tuple(f"t{number + 1}" for number in range(partition.tasks)),
        labels=tuple(labels),
        issued=partition.tasks,
        named_by=named_by,
        identity={"previous": None},
    )


def continue_tasks(
    champion: NamedTasks, champion_id: str, fresh: NamedTasks, config: MatchConfig | None = None
) -> NamedTasks:
    """The fresh tasks under the champion's ids and labels where they continue its tasks.

    Where the very same prompts are parted in the very same way, nothing was discovered: the champion's names and its
    own account of what changed are repeated, so that a rerun gives the same bytes as the first run. Labels by another
    hand (keywords, then a language model) replace the champion's; ids stay.

    Args:
        champion: tasks of the router in service.
        champion_id: its router id, for the account.
        fresh: tasks of the retrain, from `first_tasks`.
        config: how much overlap makes a task the same.

    Returns:
        The fresh partition with lasting names.
    """
    same_hand = champion.named_by == fresh.named_by
    if same_hand and _same(champion, fresh):
        return replace(champion, partition=fresh.partition)
    matching = match_tasks(champion.prompt_ids, champion.partition, fresh.prompt_ids, fresh.partition, config)
    born = np.flatnonzero(matching.old_T < 0)
    proposed = list(fresh.ids)
    for number, task in enumerate(born.tolist()):
        proposed[task] = f"t{champion.issued + number + 1}"
    ids = carry_names(matching, champion.ids, proposed)
    labels = carry_names(matching, champion.labels, fresh.labels) if same_hand else fresh.labels
    return replace(
        fresh,
        ids=ids,
        labels=labels,
        issued=champion.issued + int(born.size),
        identity=_account(matching, champion_id, champion.labels, labels),
    )


def _same(one: NamedTasks, other: NamedTasks) -> bool:
    return one.prompt_ids == other.prompt_ids and bool(np.array_equal(one.partition.task_N, other.partition.task_N))


def _account(matching: Matching, champion_id: str, old: Sequence[str], new: Sequence[str]) -> dict[str, Any]:
    kept_T = matching.old_T >= 0
    return {
        "previous": champion_id,
        "kept": int(kept_T.sum()),
        "mean_overlap": round(float(matching.overlap_T[kept_T].mean()), 4) if kept_T.any() else None,
        "born": [new[task] for task in matching.born],
        "died": [old[task] for task in matching.died],
        "split": {old[task]: [new[part] for part in parts] for task, parts in matching.split.items()},
        "merged": {new[task]: [old[part] for part in parts] for task, parts in matching.merged.items()},
    }

"""Sums over decisions, made of many at a time: what each would cost to count alone, many share."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from pointsman.serving.decided import Decided

TOGETHER = 256
"""Requests that are counted at a time."""


@dataclass(slots=True)
class Sums:
    """What was decided, in sum."""

    prompts: int = 0
    unassigned: int = 0
    """Without a task, or unlike any in training."""
    novel: int = 0
    explored: int = 0
    """Drawn, and not what was proposed."""
    cost: float = 0.0
    """Expected USD, where the best single candidate's is known too."""
    baseline: float = 0.0
    """Expected USD had the best single candidate been chosen, on the same prompts."""
    exploration: float = 0.0
    """Expected USD that draws added, less what they saved."""
    added: float = 0.0
    """Expected USD of draws that cost more than what was proposed."""
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By candidate, task's id and reason."""
    policies: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind of policy and arm."""
    expected: dict[str, float] = field(default_factory=dict)
    """USD by candidate."""
    by_task: Counter[str] = field(default_factory=Counter)
    """By the task's label."""


class Tally:
    """Takes decisions at once and adds them up later. Any number of threads may call it."""

    def __init__(self) -> None:
        self._waiting: list[Decided] = []
        self._lock = threading.Lock()
        self._sums = Sums()

    def add(self, decided: Decided) -> None:
        """Takes the decisions of a request."""
        with self._lock:
            self._waiting.append(decided)
            if len(self._waiting) >= TOGETHER:
                self._add_up()

    def sums(self) -> Sums:
        """Of all that was taken; not to be changed."""
        with self._lock:
            self._add_up()
            return self._sums

    def _add_up(self) -> None:
        waiting, self._waiting = self._waiting, []
        by_router: dict[int, list[Decided]] = {}
        for decided in waiting:
            by_router.setdefault(id(decided.router), []).append(decided)
            self._sums.policies[decided.routing.policy.partition("=")[0], decided.arm] += len(decided)
        for some in by_router.values():
            _count(self._sums, some)


def _count(sums: Sums, decided: list[Decided]) -> None:
    """Adds decisions of one router."""
    router = decided[0].router
    names, tasks = router.candidates, len(router.evidence.count_TM)
    # the last one is where a prompt without a task (-1) finds it
    ids = (*(router.task_ids or map(str, range(tasks))), "none")
    labels = (*(router.tasks or ids[:-1]), "none")
    choice_N, task_N, novel_N, expected_N, reason_N = (
        np.concatenate([getattr(one.routing, name) for one in decided])
        for name in ("choice_N", "task_N", "novel_N", "expected_cost_usd", "reason_N")
    )
    baseline_N = np.concatenate([one.baseline_usd_N for one in decided])
    proposed_N = np.concatenate([one.proposed_usd_N for one in decided])
    reasons = reason_N.tolist()
    sums.prompts += choice_N.size
    sums.novel += int(novel_N.sum())
    sums.unassigned += int(((task_N < 0) | novel_N).sum())
    sums.explored += reasons.count("explore")
    # a saving is compared on the same prompts
    both_N = np.isfinite(baseline_N) & np.isfinite(expected_N)
    sums.cost += float(expected_N[both_N].sum())
    sums.baseline += float(baseline_N[both_N].sum())
    drawn_N = np.nan_to_num(expected_N - proposed_N)
    sums.exploration += float(drawn_N.sum())
    sums.added += float(np.maximum(drawn_N, 0).sum())
    for (choice, task, reason), count in Counter(zip(choice_N.tolist(), task_N.tolist(), reasons, strict=True)).items():
        sums.decisions[names[choice], ids[task], reason] += count
        sums.by_task[labels[task]] += count
    spent_M = np.bincount(choice_N, weights=np.nan_to_num(expected_N), minlength=len(names))
    for name, spent in zip(names, spent_M.tolist(), strict=True):
        if spent:
            sums.expected[name] = sums.expected.get(name, 0.0) + spent

"""What a router answers: a decision for each prompt, as arrays and as what people and frames read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which candidate one prompt goes to, and why: what the service answers over HTTP, in Python."""

    candidate: str
    ranked: list[str]
    """Whom to ask, the candidate first, then whom to ask if it fails."""
    task: dict[str, str] | None
    """Lasting id and label; None: unassigned."""
    predicted_quality: float
    """Of the candidate, in [0, 1]."""
    expected_cost_usd: float | None
    """Of a call of the candidate; None: unknown."""
    margin: float
    """Quality by which a candidate must be better than the best single one to be chosen for it."""
    reason: str
    """'task', 'general', 'doubt' or 'novel'."""
    policy: str
    """What decided, as the command line takes it."""
    scores: list[dict[str, str | float | None]]
    """Every candidate's expected quality and cost."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routing:
    """Decisions on N prompts and M candidates, in the prompts' order: arrays, or one `Decision` after another.

    >>> for decision in router.route(["What is 17 * 23?"]):  # doctest: +SKIP
    ...     print(decision.candidate, decision.reason)
    aster-small task
    """

    candidates: tuple[str, ...]
    """Names of the M candidates: columns of quality_NM and cost_usd_NM."""
    tasks: tuple[str, ...]
    """Labels of the tasks; empty where they have none."""
    choice_N: NDArray[np.intp]
    """Index of the chosen candidate."""
    task_N: NDArray[np.int32]
    """Task of each prompt; -1: unassigned."""
    quality_NM: NDArray[np.float64]
    """Calibrated expected quality, in [0, 1]."""
    cost_usd_NM: NDArray[np.float64]
    """Expected USD per call; nan: unknown."""
    reason_N: NDArray[np.str_]
    """'task', 'general', 'doubt' or 'novel'."""
    margin_N: NDArray[np.float64]
    """Quality by which a candidate must be better than the best single one to be chosen for it."""
    novel_N: NDArray[np.bool_]
    """The prompt is unlike any that the router was trained on."""
    policy: str
    """What decided, as the command line takes it."""
    ranked_NM: NDArray[np.intp]
    """Columns of the candidates to ask, the choice first, then whom to ask if it fails; -1: not eligible."""
    removed: Mapping[str, NDArray[np.bool_]]
    """Whom each rule of eligibility removed, shape (N, M), rules in their order; empty where nobody was."""
    eligible_NM: NDArray[np.bool_] | None = None
    """Which candidates a prompt may go to; None: all, for every prompt."""
    task_ids: tuple[str, ...] = ()
    """Lasting ids of the tasks; empty where they have none."""

    def __len__(self) -> int:
        return int(self.choice_N.shape[0])

    def __iter__(self) -> Iterator[Decision]:
        columns = self.to_columns()
        for row in zip(*columns.values(), strict=True):
            yield Decision(**dict(zip(columns, row, strict=True)))

    def __getitem__(self, row: int) -> Decision:
        """One prompt's decision.

        Raises:
            IndexError: no such prompt.
        """
        place = range(len(self))[row]
        arrays = {name: getattr(self, name) for name in _BY_PROMPT}
        cut: dict[str, Any] = {
            name: None if array is None else array[place : place + 1] for name, array in arrays.items()
        }
        removed = {rule: removed_NM[place : place + 1] for rule, removed_NM in self.removed.items()}
        return next(iter(replace(self, **cut, removed=removed)))

    @property
    def candidate(self) -> list[str]:
        """Name of each prompt's choice."""
        return [self.candidates[choice] for choice in self.choice_N]

    @property
    def task(self) -> list[dict[str, str] | None]:
        """Lasting id and label of each prompt's task; None: unassigned."""
        known: dict[int, dict[str, str]] = {}
        for task in set(self.task_N.tolist()) - {-1}:
            name = self.task_ids[task] if self.task_ids else str(task)
            known[task] = {"id": name, "label": self.tasks[task] if self.tasks else name}
        return [known.get(task) for task in self.task_N.tolist()]

    def ranked(self, row: int) -> list[str]:
        """Names of the candidates to ask on one prompt, the choice first, then whom to ask if it fails."""
        return [self.candidates[column] for column in self.ranked_NM[row].tolist() if column >= 0]

    @property
    def predicted_quality(self) -> NDArray[np.float64]:
        """Of the choice, shape (N,)."""
        return self.quality_NM[np.arange(len(self)), self.choice_N]

    @property
    def expected_cost_usd(self) -> NDArray[np.float64]:
        """Of the choice, shape (N,); nan: unknown."""
        return self.cost_usd_NM[np.arange(len(self)), self.choice_N]

    def scores(self, row: int) -> list[dict[str, str | float | None]]:
        """Every candidate's expected quality and cost on one prompt; cost None: unknown."""
        pairs = zip(self.candidates, self.quality_NM[row].tolist(), self.cost_usd_NM[row].tolist(), strict=True)
        return [{"candidate": name, "quality": quality, "cost": _known(cost)} for name, quality, cost in pairs]

    @staticmethod
    def columns() -> list[str]:
        """Names of a decision's columns."""
        return [field.name for field in fields(Decision)]

    def to_columns(self) -> dict[str, list[Any]]:
        """Plain lists by column, unknown costs and missing tasks None: for frames and JSON."""
        return {
            "candidate": self.candidate,
            "ranked": [self.ranked(row) for row in range(len(self))],
            "task": self.task,
            "predicted_quality": self.predicted_quality.tolist(),
            "expected_cost_usd": [_known(cost) for cost in self.expected_cost_usd.tolist()],
            "margin": self.margin_N.tolist(),
            "reason": self.reason_N.tolist(),
            "policy": [self.policy] * len(self),
            "scores": [self.scores(row) for row in range(len(self))],
        }


_BY_PROMPT = tuple(field.name for field in fields(Routing) if field.name.endswith(("_N", "_NM")))


def _known(cost: float) -> float | None:
    return cost if cost == cost else None  # noqa: PLR0124  # nan alone isn't itself

"""Decisions whose outcomes may still come: who decided what for which request, and what was told of each so far."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pointsman.policy.eligibility import ANY, Wanted

if TYPE_CHECKING:
    from pointsman.serving.canary import Arm, Canary

MOST = 50_000
"""Decisions that are remembered; the oldest are forgotten."""


@dataclass(slots=True, kw_only=True)
class Remembered:
    """One decision."""

    arm: "Arm"
    candidate: str
    router_id: str
    digest: str
    """Which prompt it was."""
    wanted: Wanted
    """Who could be chosen."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What was told of it, of each figure the last."""
    counted: frozenset[str] = frozenset()
    """Figures that counters, which take nothing back, have of it."""
    trial: "Canary | None" = None
    """Where what was told is compared."""

    def tell(self, figures: dict[str, Any]) -> dict[str, Any]:
        """Takes figures in the place of those known; those that no counter has yet, no error being none."""
        fresh = {name: value for name, value in figures.items() if name not in self.counted and value != ""}
        self.counted = self.counted.union(fresh)
        self.figures = self.figures | figures
        return fresh


class Memory:
    """The last decisions by their ids. Not for several threads at a time."""

    def __init__(self, most: int = MOST) -> None:
        """`most`: decisions, >= 1."""
        self._most = most
        self._known: OrderedDict[str, Remembered] = OrderedDict()

    def get(self, decision_id: str) -> Remembered | None:
        """The decision of an id; None: it isn't known, or not any more."""
        return self._known.get(decision_id)

    def check(self, decision_id: str, digest: str, wanted: Wanted) -> None:
        """Refuses an id that another request had: an outcome would be put on the wrong prompt or candidate.

        Raises:
            ValueError: another prompt, or other candidates, were asked about under it.
        """
        known = self._known.get(decision_id)
        if known is None or (known.digest, known.wanted) == (digest, wanted):
            return
        what = "another prompt" if known.digest != digest else "other candidates"
        raise ValueError(
            f"decision_id {decision_id} was given before, with {what}: give each decision an id of its own"
        )

    def add(self, decision_id: str, decision: Remembered) -> None:
        """Remembers a decision; of the same one, asked for again, also what was told of it."""
        known = self._known.get(decision_id)
        if known is not None and (known.candidate, known.router_id) == (decision.candidate, decision.router_id):
            self._known.move_to_end(decision_id)
            return
        if decision.wanted == ANY:
            # most want nothing: one object for all of them
            decision.wanted = ANY
        self._known[decision_id] = decision
        self._known.move_to_end(decision_id)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

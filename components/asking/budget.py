"""Money that can't be overspent: each call's worst case is set aside before it is made."""

import threading
from collections import Counter
from dataclasses import dataclass

ALONE = 3
"""Calls of a model without an answer after which its others are let go side by side all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """What was set aside for one call."""

    model: str
    usd: float
    table_usd: float
    """Its worst case by the table of prices; what is set aside is more once the model charged more."""


class Budget:
    """USD shared by threads."""

    def __init__(self, limit_usd: float, spent_usd: float = 0.0) -> None:
        """A budget of which something may be spent already.

        Args:
            limit_usd: not exceeded, > 0, unless a call costs more than was set aside for it.
            spent_usd: counted from the beginning, >= 0.

        Raises:
            ValueError: the limit isn't positive and finite.
        """
        if not 0 < limit_usd < float("inf"):
            raise ValueError(f"budget must be a positive number of USD, got {limit_usd}")
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.closed = False
        """Whether nothing is set aside any more."""
        self._reserved_usd = 0.0
        self._under_way: Counter[str] = Counter()
        self._factor: dict[str, float] = {}
        self._dearest_usd: dict[str, float] = {}
        self._answered: set[str] = set()
        self._ended: Counter[str] = Counter()
        self._changed = threading.Condition()

    def worst_usd(self, model: str, table_usd: float) -> float:
        """Most that a call is taken to cost.

        Args:
            model: that is asked.
            table_usd: the call's worst case by the table of prices, >= 0.
        """
        # a gateway that charged more than the table says is trusted no further than that; nothing has no multiple
        return max(table_usd * self._factor.get(model, 1.0), self._dearest_usd.get(model, 0.0))

    def reserve(self, model: str, table_usd: float) -> Reserved | None:
        """Sets a call's worst case aside, waiting for calls under way where it doesn't fit yet.

        A model's first call goes alone, since only its cost tells whether the table is right. Whoever holds something
        must not wait here for more: all could wait for each other.

        Args:
            model: that is asked.
            table_usd: the call's worst case by the table of prices, >= 0.

        Returns:
            What was set aside, to be settled; None: it doesn't fit though nothing is under way, or the budget is
            closed.
        """
        with self._changed:
            while not self.closed:
                usd = self.worst_usd(model, table_usd)
                fits = self.spent_usd + self._reserved_usd + usd <= self.limit_usd
                if fits and not self._must_wait(model):
                    self._reserved_usd += usd
                    self._under_way[model] += 1
                    return Reserved(model=model, usd=usd, table_usd=table_usd)
                if not self._under_way.total():
                    return None
                self._changed.wait()
            return None

    def settle(self, reserved: Reserved, actual_usd: float, *, answered: bool = False) -> None:
        """What a call did cost, in place of what was set aside for it.

        Args:
            reserved: what was.
            actual_usd: >= 0.
            answered: whether it brought an answer, whose cost tells what the model charges.
        """
        with self._changed:
            model = reserved.model
            self._under_way[model] -= 1
            # sums of floats don't end at 0 by themselves
            self._reserved_usd = self._reserved_usd - reserved.usd if self._under_way.total() else 0.0
            self.spent_usd += actual_usd
            self._ended[model] += 1
            if answered:
                self._answered.add(model)
            if reserved.table_usd > 0:
                # against the table, not what was set aside: calls under way together would raise it each
                self._factor[model] = max(self._factor.get(model, 1.0), actual_usd / reserved.table_usd)
            else:
                self._dearest_usd[model] = max(self._dearest_usd.get(model, 0.0), actual_usd)
            self._changed.notify_all()

    def close(self) -> None:
        """Sets nothing aside any more; whoever waits for money goes without."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _must_wait(self, model: str) -> bool:
        known = model in self._answered or self._ended[model] >= ALONE
        return not known and self._under_way[model] > 0

"""Money that can't be overspent: each call's worst case is set aside before it is made."""

import threading


class Budget:
    """USD shared by threads."""

    def __init__(self, limit_usd: float, spent_usd: float = 0.0) -> None:
        """A budget of which something may be spent already.

        Args:
            limit_usd: never exceeded, > 0.
            spent_usd: counted from the beginning, >= 0.

        Raises:
            ValueError: the limit isn't positive and finite.
        """
        if not 0 < limit_usd < float("inf"):
            raise ValueError(f"budget must be a positive number of USD, got {limit_usd}")
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self._reserved_usd = 0.0
        self._overrun = 1.0
        self._changed = threading.Condition()

    def reserve(self, worst_usd: float) -> float | None:
        """Sets a call's worst case aside, waiting for calls under way where it doesn't fit yet.

        Returns:
            What was set aside, to be settled; None: it doesn't fit though nothing is under way.
        """
        with self._changed:
            while True:
                # a gateway that charged more than tokens x price once is trusted no further than that
                asked_usd = worst_usd * self._overrun
                if self.spent_usd + self._reserved_usd + asked_usd <= self.limit_usd:
                    self._reserved_usd += asked_usd
                    return asked_usd
                if self._reserved_usd <= 1e-12:
                    return None
                self._changed.wait()

    def settle(self, reserved_usd: float, actual_usd: float) -> None:
        """What a call did cost, in place of what was set aside for it."""
        with self._changed:
            self._reserved_usd = max(self._reserved_usd - reserved_usd, 0.0)
            self.spent_usd += actual_usd
            if actual_usd > reserved_usd > 0:
                self._overrun *= actual_usd / reserved_usd
            self._changed.notify_all()

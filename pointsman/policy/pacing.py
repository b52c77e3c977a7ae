"""Holding a stream of decisions to a mean cost: a price of money that follows what was spent.

Primal-dual pacing (Balseiro, Lu, Mirrokni 2020, "Dual mirror descent for online allocation problems", algorithm 1,
with multiplicative updates): each decision takes the highest quality less cost x price, and the price rises when spend
runs ahead of the target and falls when it lags.
"""

import math
from dataclasses import dataclass

STEP = 0.05
"""Of the log price for a decision that costs twice the target."""
PULL = 0.01
"""Of the log price for each decision's worth that spend is ahead: brings the mean back to the target, not just the
rate."""
MEMORY = 100
"""Decisions' worth of surplus or debt that is carried, > 0: what is older is forgotten, so that a change of prices
isn't paid back for ever."""
LARGEST = 10.0
"""Of a decision's cost over the target, as far as the price's step goes: one long prompt is no trend."""
RANGE = 40.0
"""Largest absolute log price."""


LEAST = 1e-9
"""USD for a thousand decisions below which no pace is meant: far less than any call costs, and safe to divide by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A mean cost to keep."""

    usd_per_1000: float
    """USD for a thousand decisions, >= LEAST."""

    def __post_init__(self) -> None:
        if not LEAST <= self.usd_per_1000 < float("inf"):
            raise ValueError(f"pace must be >= {LEAST:g} USD per 1000 requests and finite, got {self.usd_per_1000}")


class Pacer:
    """The price of money of one stream. Not for several threads at a time."""

    def __init__(self, pace: Pace, *, willingness_to_pay: float | None = None) -> None:
        """Starts at a willingness to pay in USD per unit of quality, > 0; None: 10 times the target of a decision."""
        self._target = pace.usd_per_1000 / 1000
        self._log_price = -math.log(willingness_to_pay or 10 * self._target)
        self._ahead = 0.0

    @property
    def willingness_to_pay(self) -> float:
        """USD per unit of quality that the next decision should be made at."""
        return math.exp(-min(max(self._log_price + PULL * self._ahead, -RANGE), RANGE))

    def spent(self, usd: float) -> None:
        """Counts what a decision costs, USD >= 0.

        Raises:
            ValueError: no finite cost.
        """
        if not 0 <= usd < math.inf:
            raise ValueError(f"a decision's cost must be >= 0 USD and finite, got {usd}")
        over = usd / self._target - 1
        self._log_price = min(max(self._log_price + STEP * min(over, LARGEST), -RANGE), RANGE)
        self._ahead = min(max(self._ahead + over, -MEMORY), MEMORY)

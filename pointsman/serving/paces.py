"""Streams that are held to a mean cost, a pacer for each tenant and pace."""

from collections import OrderedDict

from pointsman.policy.pacing import Pace, Pacer
from pointsman.policy.policy import parse
from pointsman.router import OPERATING

PACE = "pace"
TENANTS = 10_000
"""Streams that are paced apart; the longest silent one starts anew."""


class Paces:
    """The pacers of all streams. Not for several threads at a time."""

    def __init__(self) -> None:
        self._pacers: OrderedDict[tuple[str, str], Pacer] = OrderedDict()

    def of(self, tenant: str | None, policy: str) -> Pacer | None:
        """The pacer of a tenant's stream; None: the policy is another one."""
        pace = paced(policy)
        if pace is None:
            return None
        key = (tenant or "", policy)
        pacer = self._pacers.get(key) or Pacer(pace)
        self._pacers[key] = pacer
        self._pacers.move_to_end(key)
        while len(self._pacers) > TENANTS:
            self._pacers.popitem(last=False)
        return pacer


def paced(text: str) -> Pace | None:
    """The pace that a policy's name asks for; None: it is another policy.

    Raises:
        ValueError: no number, or one out of its range.

    >>> paced("pace=0.5")
    Pace(usd_per_1000=0.5)
    """
    name, _, figure = text.strip().partition("=")
    if name != PACE:
        return None
    try:
        return Pace(usd_per_1000=float(figure))
    except ValueError as error:
        raise ValueError(f"policy {text!r}: {error}; want pace=USD_PER_1000") from None


def known_policy(text: str) -> str:
    """A policy's name, refused before it is queued if no router could know it.

    Raises:
        ValueError: no such policy, no number, or a number out of its range.
    """
    if text not in (OPERATING, "parity") and paced(text) is None:
        parse(text)
    return text

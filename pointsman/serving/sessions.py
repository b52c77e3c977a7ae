"""Sessions that keep their candidate: answers read alike, and providers' prompt caches stay warm."""

from collections import OrderedDict

import numpy as np

from pointsman.policy.policy import Policy
from pointsman.policy.promises import lost, within
from pointsman.routing import Routing

Session = tuple[str, str]
"""A tenant ('': none) and its session: two tenants may call theirs alike."""
MOST = 100_000
"""Sessions that are remembered; the longest silent ones are forgotten."""


class Sessions:
    """Which candidate each session has. Not for several threads at a time."""

    def __init__(self, margin: float) -> None:
        """`margin`: predicted quality by which another candidate must be better to take over, in [0, 1]."""
        self._margin = margin
        self._kept: OrderedDict[Session, str] = OrderedDict()

    def keeps(self, session: Session, routing: Routing, policy: Policy, *, in_tool_loop: bool) -> int | None:
        """Column of the candidate that a session's lone prompt stays with; None: the choice stands.

        Inside a tool loop (the last message is a tool's answer) the candidate stays whatever another promises: it
        wouldn't know why the tool was asked. One that isn't eligible any more, or would break a budget or a quality
        bar, never stays. What another promises is measured as the policy does.
        """
        kept = self._kept.get(session)
        if kept not in routing.candidates:
            return None
        column = routing.candidates.index(kept)
        if column not in routing.ranked_NM[0]:
            return None
        may_NM = within(policy, routing.choice_N, routing.quality_NM, routing.cost_usd_NM)
        if may_NM is not None and not may_NM[0, column]:
            return None
        gain = lost(policy, int(routing.choice_N[0]), column, routing.quality_NM[0], routing.cost_usd_NM[0])
        return column if in_tool_loop or gain <= self._margin else None

    def remember(self, session: Session, candidate: str) -> None:
        """A session's candidate from now on."""
        self._kept[session] = candidate
        self._kept.move_to_end(session)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)


def stay_with(routing: Routing, column: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The choice of a lone prompt that stays with a candidate."""
    return np.full(routing.choice_N.shape, column, dtype=np.intp)

"""A second router that decides too, without counting: what would change if it were in service.

It works after the answer is out, on a thread of its own; what it can't keep up with is left out and counted.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.policy.eligibility import Wanted
from pointsman.router import OPERATING, Router, Routing, lengths
from pointsman.text.tokens import Tokens

_LOG = logging.getLogger(__name__)
ROOM = 512
"""Requests that may wait for the shadow."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the router in service answered."""

    prompts: list[str]
    characters_N: NDArray[np.int64]
    tokens: Tokens | None
    """With the embedding, where the shadow's encoder is the same one."""
    embedding_ND: NDArray[np.float32] | None
    wanted: Wanted
    decision_ids: list[str]
    candidates: list[str]
    """What was chosen."""
    quality_N: NDArray[np.float64]
    cost_usd_N: NDArray[np.float64]


class Shadow:
    """Decides after the router in service, by its own operating policy."""

    def __init__(self, router: Callable[[], Router], told: Callable[[Seen, Routing, Router], None]) -> None:
        """Starts the thread; `told` hears of each comparison there."""
        self._router, self._told = router, told
        self._waiting: queue.Queue[Seen] = queue.Queue(ROOM)
        self.left_out = 0
        """Requests that it couldn't keep up with, or couldn't decide."""
        threading.Thread(target=self._run, name="shadow", daemon=True).start()

    @property
    def router(self) -> Router:
        """The shadow's router now."""
        return self._router()

    def see(self, seen: Seen) -> None:
        """Takes what was answered, without waiting."""
        try:
            self._waiting.put_nowait(seen)
        except queue.Full:
            self.left_out += 1

    def wait(self) -> None:
        """Until all that was taken is done."""
        self._waiting.join()

    def _run(self) -> None:
        while True:
            seen = self._waiting.get()
            try:
                router = self._router()
                self._told(seen, _decide(router, seen), router)
            # a shadow that fails must not be noticed by those who are answered
            except Exception as error:
                self.left_out += 1
                _LOG.warning("the shadow can't decide: %s", type(error).__name__)
            finally:
                self._waiting.task_done()


def _decide(router: Router, seen: Seen) -> Routing:
    if seen.tokens is None or seen.embedding_ND is None:
        tokens, embedding_ND = router.encode(seen.prompts)
    else:
        tokens, embedding_ND = seen.tokens, seen.embedding_ND
    read_N, _ = lengths(seen.prompts)
    prediction = router.predict_encoded(tokens, embedding_ND, read_N, seen.characters_N)
    return router.choose(prediction, router.policy(OPERATING), seen.wanted)


def compared(seen: Seen, routing: Routing) -> dict[str, Any]:
    """Prompts, disagreements, and what the shadow's choices would change in sum; costs where both are known."""
    cost_N = routing.expected_cost_usd - seen.cost_usd_N
    differs_N = np.array([a != b for a, b in zip(routing.candidate, seen.candidates, strict=True)])
    return {
        "prompts": len(seen.candidates),
        "disagreements": int(differs_N.sum()),
        "quality": float((routing.predicted_quality - seen.quality_N).sum()),
        "cost_usd": float(np.nansum(cost_N)),
    }

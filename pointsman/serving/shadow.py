"""A second router that decides too, without counting: what would change if it were in service.

It works after the answer is out, on a thread of its own and on all that came meanwhile together, for less of the
processor; what it can't keep up with is left out and counted.
"""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import ne
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.policy.eligibility import Wanted
from pointsman.policy.policy import Budget
from pointsman.router import OPERATING, Router
from pointsman.routing import Routing
from pointsman.serving.jobs import joined_tokens
from pointsman.text.lengths import lengths
from pointsman.text.tokens import Tokens

_LOG = logging.getLogger(__name__)
ROOM = 512
"""Requests that may wait for the shadow."""
TOGETHER = 256
"""Requests that it decides at a time."""
PAUSE = 1.0
"""Seconds that it waits for company: nobody waits for it, and many together cost a tenth of one by one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the router in service answered to a request."""

    prompts: list[str]
    characters: list[int] | None
    """Of all that a candidate is sent for each prompt; None: the prompt alone."""
    tokens: Tokens | None
    """With the embedding, where the shadow's encoder is the same one."""
    embedding_ND: NDArray[np.float32] | None
    wanted: Wanted
    decision_ids: list[str]
    routing: Routing
    """What was chosen."""
    at_us: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """What a shadow would have answered to some requests."""

    decision_ids: list[str]
    at_us: list[int]
    """When each was decided, microseconds since 1970."""
    router_id: str
    routing: Routing
    """What the shadow chose."""
    served: list[str]
    """What was chosen."""
    served_quality_N: NDArray[np.float64]
    served_cost_usd_N: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.decision_ids)

    def figures(self) -> dict[str, Any]:
        """Prompts, disagreements, and what the shadow's choices would change in sum; costs where both are known."""
        return {
            "prompts": len(self),
            "disagreements": sum(map(ne, self.served, self.routing.candidate)),
            "quality": float((self.routing.predicted_quality - self.served_quality_N).sum()),
            "cost_usd": float(np.nansum(self.routing.expected_cost_usd - self.served_cost_usd_N)),
        }


class Shadow:
    """Decides after the router in service, by its own operating policy."""

    def __init__(self, router: Callable[[], Router], report: Callable[[Compared], None]) -> None:
        """Starts the thread; `report` hears of each comparison there."""
        self._router, self._report = router, report
        self._waiting: queue.Queue[Seen] = queue.Queue(ROOM)
        self._hurry = threading.Event()
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
        if self._waiting.qsize() >= TOGETHER:
            self._hurry.set()

    def wait(self) -> None:
        """Until all that was taken is done."""
        self._hurry.set()
        self._waiting.join()

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            self._hurry.wait(PAUSE)
            self._hurry.clear()
            while len(batch) < TOGETHER and not self._waiting.empty():
                batch.append(self._waiting.get())
            for some in _alike(batch):
                self._decide(some)
            for _ in batch:
                self._waiting.task_done()

    def _decide(self, batch: list[Seen]) -> None:
        try:
            router = self._router()
            # a budget is for each request
            if len(batch) > 1 and isinstance(router.policy(OPERATING), Budget):
                for seen in batch:
                    self._decide([seen])
                return
            self._report(decide_all(router, batch))
        # a shadow that fails must not be noticed by those who are answered
        except Exception as error:
            if len(batch) > 1:
                # one that can't be decided keeps no other back
                for seen in batch:
                    self._decide([seen])
                return
            self.left_out += 1
            _LOG.warning("the shadow can't decide: %s", type(error).__name__)


def _alike(batch: list[Seen]) -> Iterator[list[Seen]]:
    """What may be decided together: the same is wanted of the same candidates, and all are encoded or none is."""
    groups: dict[tuple[Wanted, tuple[str, ...], bool], list[Seen]] = {}
    for seen in batch:
        groups.setdefault((seen.wanted, seen.routing.candidates, seen.embedding_ND is None), []).append(seen)
    yield from groups.values()


def decide_all(router: Router, batch: list[Seen]) -> Compared:
    """What a router would choose for requests that want the same of candidates; all encoded, or none.

    Raises:
        ValueError: as `Router.choose`.
    """
    prompts = list(chain.from_iterable(seen.prompts for seen in batch))
    encoded = [(seen.tokens, seen.embedding_ND) for seen in batch if seen.tokens is not None]
    if encoded:
        tokens = joined_tokens([each for each, _ in encoded])
        embedding_ND = np.concatenate([each_ND for _, each_ND in encoded if each_ND is not None])
    else:
        tokens, embedding_ND = router.encode(prompts)
    read_N, characters_N = lengths(prompts)
    bounds = list(accumulate((len(seen.prompts) for seen in batch), initial=0))
    for seen, start, end in zip(batch, bounds, bounds[1:], strict=False):
        if seen.characters is not None:
            characters_N[start:end] = seen.characters
    prediction = router.predict_encoded(tokens, embedding_ND, read_N, characters_N)
    return Compared(
        decision_ids=list(chain.from_iterable(seen.decision_ids for seen in batch)),
        at_us=list(chain.from_iterable([seen.at_us] * len(seen.prompts) for seen in batch)),
        router_id=router.router_id,
        routing=router.choose(prediction, router.policy(OPERATING), batch[0].wanted),
        **_served(batch),
    )


def _served(batch: list[Seen]) -> dict[str, Any]:
    """What the router in service chose, quality and cost expected of it."""
    choice_N, quality_NM, cost_NM = (
        np.concatenate([getattr(seen.routing, name) for seen in batch])
        for name in ("choice_N", "quality_NM", "cost_usd_NM")
    )
    rows_N = np.arange(choice_N.size)
    return {
        "served": [batch[0].routing.candidates[choice] for choice in choice_N.tolist()],
        "served_quality_N": quality_NM[rows_N, choice_N],
        "served_cost_usd_N": cost_NM[rows_N, choice_N],
    }

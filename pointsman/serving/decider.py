"""From a job to its answer: who decides, piece by piece where it is large, for as long as the client is there."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from fastapi import Request

from pointsman.router import Router
from pointsman.serving.batching import Batcher, Crowded
from pointsman.serving.canary import Arm
from pointsman.serving.config import ServingConfig
from pointsman.serving.in_service import InService
from pointsman.serving.jobs import Job, Piece, Predicted, joined
from pointsman.serving.meters import Meters
from pointsman.serving.service import Service
from pointsman.text.conversation import ConversationConfig

_LOG = logging.getLogger(__name__)

PATIENCE = 0.05
"""Seconds that an answer may take before the server asks whether the client is still there."""

LONG = 8_192
"""Characters from which a request stands in the line of large ones: some milliseconds of a processor."""


class Decider:
    """Hands jobs to the workers and waits for what they decide."""

    def __init__(
        self,
        limits: ServingConfig,
        service: Service,
        meters: Meters,
        in_service: InService,
        challenger: InService | None,
    ) -> None:
        """Starts the workers."""
        self._limits, self._service, self._meters = limits, service, meters
        self._in_service, self._challenger = in_service, challenger
        self._batcher: Batcher[Piece, bytes | Predicted] = Batcher(
            service.predict,
            lambda piece: piece.end - piece.start,
            workers=limits.workers,
            gather=limits.gather,
            room=limits.largest_queue,
        )

    async def decide(self, job_of: Callable[[ConversationConfig], Job], request: Request) -> bytes | None:
        """The body of the answer; None: the client hung up, and its work was dropped.

        Args:
            job_of: the request as a router reads it that learnt from such turns of conversations.
            request: whose client waits.

        Raises:
            Crowded: there is no room.
            ValueError: what was asked isn't in order, a policy that can't be kept, or no candidate is left.
        """
        router = self._in_service.get()
        job = job_of(router.conversation)
        challenger = None if self._challenger is None else self._challenger.get()
        arm: Arm = "champion" if challenger is None else self._service.trials.arm(job, challenger.router_id)
        if arm == "challenger" and challenger is not None:
            work = asyncio.ensure_future(self._tried(challenger, router, job, job_of))
        else:
            work = asyncio.ensure_future(self._answer(router, "champion", job))
        done, _ = await asyncio.wait((work,), timeout=PATIENCE)
        if not done and await hung_up_first(request, work):
            self._meters.gave_up()
            return None
        return await work

    async def _tried(
        self, challenger: Router, router: Router, job: Job, job_of: Callable[[ConversationConfig], Job]
    ) -> bytes:
        """The challenger's answer, or what the router in service says where it has none: a trial refuses nobody."""
        try:
            # it may have learnt from other turns than the champion
            own = replace(job, prompts=job_of(challenger.conversation).prompts)
            return await self._answer(challenger, "challenger", own)
        except Crowded:
            # a second try would stand in the same full line
            raise
        except Exception as error:  # whatever it is, those who ask get their answer
            if not isinstance(error, ValueError):
                # it's broken, rather than without an answer; its words may quote a prompt
                _LOG.warning("the challenger can't decide: %s", type(error).__name__)
            answer = await self._answer(router, "champion", job)
            self._meters.stood_in()
            return answer

    async def _answer(self, router: Router, arm: Arm, job: Job) -> bytes:
        """The body; a large request goes piece by piece, a few at a time, and is decided as one in the end."""
        size, most = len(job.prompts), self._limits.piece
        if size <= max(most, 1):
            piece = Piece(router=router, arm=arm, job=job, start=0, end=size)
            # short prompts neither wait for a long one in their batch, nor behind a line of them
            long = sum(map(len, job.prompts)) > LONG
            whole = await asyncio.wrap_future(self._batcher.submit(piece, piece=long))
            assert isinstance(whole, bytes)  # noqa: S101  # a whole piece is answered
            return whole
        waiting: list[asyncio.Future[bytes | Predicted]] = []
        parts: list[Predicted] = []
        try:
            for start in range(0, size, most):
                piece = Piece(router=router, arm=arm, job=job, start=start, end=min(start + most, size))
                waiting.append(asyncio.wrap_future(self._submit(piece)))
                if len(waiting) >= self._limits.workers:
                    parts.append(_part(await waiting.pop(0)))
            while waiting:
                parts.append(_part(await waiting.pop(0)))
        finally:
            for future in waiting:
                future.cancel()
        return await asyncio.to_thread(self._service.finish, router, arm, job, joined(parts))

    def _submit(self, piece: Piece) -> "Future[bytes | Predicted]":
        return self._batcher.submit(piece, piece=True)


def _part(answer: bytes | Predicted) -> Predicted:
    assert isinstance(answer, Predicted)  # noqa: S101  # a part is never answered
    return answer


async def hung_up_first(request: Request, work: "asyncio.Future[bytes]") -> bool:
    """Waits for the answer or the client's end; work for a client that is gone is dropped."""
    gone = asyncio.ensure_future(request.receive())
    try:
        while not work.done():
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done() and not work.done():
                if gone.result()["type"] == "http.disconnect":
                    work.cancel()
                    return True
                gone = asyncio.ensure_future(request.receive())
        return False
    finally:
        gone.cancel()

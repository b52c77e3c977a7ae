"""Requests that wait at the same time, worked on together: what each costs beside the encoder is then shared.

Nothing waits for company: a worker takes what is there.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batcher(Generic[Asked, Answer]):
    """Threads that take waiting requests, some at a time, and answer each through its future."""

    def __init__(
        self,
        work: Callable[[list[Asked]], Sequence[Answer | Exception]],
        size: Callable[[Asked], int],
        *,
        workers: int,
        gather: int,
    ) -> None:
        """Starts the workers; they end with the process.

        Args:
            work: answers, or errors, in the order of the requests; called by one worker at a time each.
            size: of a request, >= 0.
            workers: threads, >= 1.
            gather: size from which a worker takes no further request, >= 1.
        """
        self._work, self._size, self._gather = work, size, gather
        self._waiting: queue.SimpleQueue[tuple[Asked, Future[Answer]]] = queue.SimpleQueue()
        for number in range(workers):
            threading.Thread(target=self._serve, name=f"batcher-{number}", daemon=True).start()

    def submit(self, asked: Asked) -> Future[Answer]:
        """The answer to come."""
        future: Future[Answer] = Future()
        self._waiting.put((asked, future))
        return future

    def _serve(self) -> None:
        while True:
            taken = self._take()
            # those who gave up meanwhile cost nothing
            going = [(asked, future) for asked, future in taken if future.set_running_or_notify_cancel()]
            if not going:
                continue
            try:
                answers = self._work([asked for asked, _ in going])
            except Exception as error:  # whatever it is, those who wait must hear of it
                answers = [error] * len(going)
            for (_, future), answer in zip(going, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _take(self) -> list[tuple[Asked, Future[Answer]]]:
        taken = [self._waiting.get()]
        total = self._size(taken[0][0])
        while total < self._gather:
            try:
                taken.append(self._waiting.get_nowait())
            except queue.Empty:
                break
            total += self._size(taken[-1][0])
        return taken

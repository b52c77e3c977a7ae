"""Requests that wait at the same time, worked on together: what each costs beside the encoder is then shared.

Nothing waits for company: a worker takes what is there. Pieces of large requests wait in a line of their own, and the
two lines take turns, so that a short request waits for a piece at most.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_Waiting = deque[tuple[Asked, "Future[Answer]"]]


class Crowded(RuntimeError):
    """More waits than there is room for."""


class Batcher(Generic[Asked, Answer]):
    """Threads that take waiting requests, some at a time, and answer each through its future."""

    def __init__(
        self,
        work: Callable[[list[Asked]], Sequence[Answer | Exception]],
        size: Callable[[Asked], int],
        *,
        workers: int,
        gather: int,
        room: int = 1 << 30,
    ) -> None:
        """Starts the workers; they end with the process.

        Args:
            work: answers, or errors, in the order of the requests; called by one worker at a time each.
            size: of a request, >= 0.
            workers: threads, >= 1.
            gather: size from which a worker takes no further request, >= 1.
            room: total size that may wait.
        """
        self._work, self._size, self._gather, self._room = work, size, gather, room
        self._lines: tuple[_Waiting[Asked, Answer], _Waiting[Asked, Answer]] = (deque(), deque())
        self._turn = 0
        self._ready = threading.Condition()
        self._waiting = 0
        for number in range(workers):
            threading.Thread(target=self._serve, name=f"batcher-{number}", daemon=True).start()

    @property
    def waiting(self) -> int:
        """Total size that waits, those who gave up included."""
        return self._waiting

    def submit(self, asked: Asked, *, piece: bool = False) -> Future[Answer]:
        """The answer to come.

        Args:
            asked: the request.
            piece: it is part of a larger one, and stands behind in the other line.

        Raises:
            Crowded: there is no room.
        """
        future: Future[Answer] = Future()
        size = self._size(asked)
        with self._ready:
            if self._waiting and self._waiting + size > self._room:
                raise Crowded(f"{self._waiting} prompts wait already")
            self._waiting += size
            self._lines[piece].append((asked, future))
            self._ready.notify()
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
        """The first of the line whose turn it is, and what follows of whole requests until that is enough."""
        with self._ready:
            while not (self._lines[0] or self._lines[1]):
                self._ready.wait()
            line = self._lines[self._turn] or self._lines[1 - self._turn]
            self._turn = 1 if line is self._lines[0] else 0
            taken, total = [], 0
            while line and total < self._gather:
                taken.append(line.popleft())
                total += self._size(taken[-1][0])
                if line is self._lines[1]:
                    break
            self._waiting -= total
        return taken

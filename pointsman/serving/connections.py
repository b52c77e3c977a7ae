"""Connections that say nothing, or half a sentence, don't keep others out.

uvicorn bounds the time between requests, not the time for a request's first bytes and headers.
"""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def bounded_protocol(header_seconds: float, crowd: int) -> type[H11Protocol]:
    """uvicorn's HTTP protocol, which hangs up on who takes too long to ask, and on the longest silent in a crowd.

    Args:
        header_seconds: for the first line and headers of a request, > 0.
        crowd: connections at a time, >= 1.
    """

    class Bounded(H11Protocol):
        asking_since: float | None = None
        """When the connection last owed a request; None: it is being answered."""
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.asking_since = time.monotonic()
            if len(self.connections) > crowd:
                self._make_room()
            self._timer = self.loop.call_later(header_seconds, self._check)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _owes_a_request(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _check(self) -> None:
            now = time.monotonic()
            if self._owes_a_request():
                if self.asking_since is None:
                    self.asking_since = now
                # between requests uvicorn's own limit holds until the next one's first byte
                elif now - self.asking_since >= header_seconds and self.timeout_keep_alive_task is None:
                    self.transport.abort()
                    return
            else:
                self.asking_since = None
            self._timer = self.loop.call_later(header_seconds / 2, self._check)

        def _make_room(self) -> None:
            silent = [other for other in self.connections if isinstance(other, Bounded) and other._owes_a_request()]
            oldest = min(silent, key=_since, default=self)
            oldest.transport.abort()

    def _since(connection: Any) -> float:
        return float(connection.asking_since or 0.0)

    return Bounded

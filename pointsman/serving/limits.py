"""What a request may cost before anything reads it: who may ask, how many bytes, and how long they may take."""

import asyncio
import hmac
from collections.abc import Collection

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RETRY_SECONDS = "1"
SMALL = 65_536
"""Bytes of a body that there is always room for: who asks little isn't kept out by who asks much."""


class Admit:
    """ASGI middleware: the bearer token is asked for before a byte of the body is read.

    Paths in `open_to_all` answer without. `token` None: nobody is asked.
    """

    def __init__(self, app: ASGIApp, token: str | None, open_to_all: Collection[str]) -> None:
        self._app, self._open = app, frozenset(open_to_all)
        self._wanted = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses with 401, or hands on."""
        if scope["type"] == "http" and self._wanted is not None and scope["path"] not in self._open:
            given = dict(scope["headers"]).get(b"authorization", b"")
            # compare_digest takes the same time wherever the first difference is
            if not hmac.compare_digest(given, self._wanted):
                headers = {"WWW-Authenticate": "Bearer", "connection": "close"}
                await JSONResponse({"detail": "a bearer token is needed"}, 401, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class LimitBody:
    """ASGI middleware: a body of bounded size, within a bounded time, and a bounded sum of all bodies in memory."""

    def __init__(self, app: ASGIApp, largest: int, together: int, seconds: float) -> None:
        """Bounds bodies.

        Args:
            app: what is asked in the end.
            largest: bytes of a body; more is answered 413, announced or not.
            together: bytes of all bodies; more is answered 429.
            seconds: for receiving a body; later is answered 408.
        """
        self._app, self._largest, self._together, self._seconds = app, largest, together, seconds
        self._held = 0
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads the body up to the limits, then hands it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held = _Held()
        try:
            try:
                async with asyncio.timeout(self._seconds):
                    refusal = await self._receive(scope, receive, held)
            except TimeoutError:
                content = {"detail": f"the body took longer than {self._seconds:g} s"}
                refusal = JSONResponse(content, 408, {"connection": "close"})
            except asyncio.CancelledError:
                # the server's time is up: raised further, each such body would leave a traceback
                refusal = JSONResponse({"detail": "the server ends"}, 503, {"connection": "close"})
            if refusal is not None:
                held.chunks.clear()
                await refusal(scope, receive, send)
            elif not held.gone:
                body = b"".join(held.chunks)
                held.chunks.clear()
                pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

                async def replay() -> Message:
                    return pending.pop() if pending else await receive()

                await self._app(scope, replay, send)
        finally:
            self._held -= held.size

    async def _receive(self, scope: Scope, receive: Receive, held: "_Held") -> JSONResponse | None:
        """Fills `held` with the body; why it can't be taken."""
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        refusal = self._refusal(int(announced) if announced.isdigit() else 0)
        more = True
        while more and refusal is None:
            if held.size >= SMALL:
                # one large body at a time asks for more, one a turn of the event loop: all others are served between
                async with self._turn:
                    await asyncio.sleep(0)
            message = await receive()
            if message["type"] == "http.disconnect":
                held.gone = True
                return None
            chunk = message.get("body", b"")
            held.chunks.append(chunk)
            held.size += len(chunk)
            self._held += len(chunk)
            more = message.get("more_body", False)
            refusal = self._refusal(held.size)
        return refusal

    def _refusal(self, size: int) -> JSONResponse | None:
        """Why a body of this size can't be taken."""
        if size > self._largest:
            return JSONResponse({"detail": f"at most {self._largest} bytes"}, 413, {"connection": "close"})
        if size > SMALL and self._held > self._together:
            headers = {"connection": "close", "Retry-After": RETRY_SECONDS}
            return JSONResponse({"detail": "too many bytes are being received: come back"}, 429, headers)
        return None


class _Held:
    """What was received of one body."""

    __slots__ = ("chunks", "gone", "size")

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0
        self.gone = False

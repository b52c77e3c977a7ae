"""One OpenAI-compatible server behind this one: asked with the chosen candidate, then with the next if it fails.

Bodies are handed on and never kept; of a failure the status or the error's type alone is told.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from pointsman.serving.config import UpstreamConfig
from pointsman.serving.events import Usage, events, figures_of, without_usage

_AGAIN = frozenset({408, 409, 429})
"""Statuses, beside 5xx, after which the next candidate is asked."""
_LARGEST_ANSWER = 64_000_000
"""Bytes of an answer that isn't streamed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Passed:
    """An answer on its way: status and body, who gives it, and in the end what became of it."""

    candidate: str
    """Who answers: the first of those asked unless it failed."""
    failed: str
    """How the first one failed; '': it answers."""
    status: int
    media_type: str
    body: AsyncIterator[bytes]
    figures: dict[str, Any]
    """Tokens, cost and latency, or the error, once the body is through; empty where the client hung up before."""


class Upstream:
    """The server behind, through one pool of connections."""

    def __init__(self, config: UpstreamConfig, *, connections: int = 1024) -> None:
        """`connections`: at a time, >= 1."""
        self._config = config
        self._url = config.url.rstrip("/") + "/chat/completions"
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if config.key:
            headers["authorization"] = f"Bearer {config.key}"
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(config.seconds, connect=10.0),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=64),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Ends its connections."""
        await self._client.aclose()

    async def ask(self, body: Mapping[str, Any], candidates: Sequence[str]) -> Passed:
        """The first answer of candidates that are asked in turn; the last one's failure if all fail.

        Whoever gets it must read the body to its end, or close it.

        Args:
            body: a chat completion's, with whatever model.
            candidates: whom to ask, >= 1.
        """
        first_failure, begun = "", time.perf_counter()
        asked = candidates[: self._config.tries]
        for place, candidate in enumerate(asked):
            last = place == len(asked) - 1
            begun = time.perf_counter()
            try:
                answer = await self._client.send(self._request(body, candidate), stream=True)
            except httpx.HTTPError as error:
                failure = type(error).__name__
                if last:
                    return _failed(candidate, first_failure or failure, failure)
            else:
                if answer.status_code < 400 or last or not _again(answer.status_code):
                    return self._passed(body, answer, candidate, first_failure, begun)
                failure = f"HTTP {answer.status_code}"
                await answer.aclose()
            first_failure = first_failure or failure
        raise ValueError("nobody to ask")

    def _request(self, body: Mapping[str, Any], candidate: str) -> httpx.Request:
        sent = {**body, "model": candidate}
        if body.get("stream"):
            # tokens are told in a last event, which clients that didn't ask for it don't get to see
            sent["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return self._client.build_request("POST", self._url, content=json.dumps(sent).encode())

    def _passed(
        self, body: Mapping[str, Any], answer: httpx.Response, candidate: str, failed: str, begun: float
    ) -> Passed:
        media_type = answer.headers.get("content-type", "application/json")
        streams = answer.status_code < 400 and media_type.startswith("text/event-stream")
        usage_asked = bool((body.get("stream_options") or {}).get("include_usage"))
        figures: dict[str, Any] = {}
        return Passed(
            candidate=candidate,
            failed=failed,
            status=answer.status_code,
            media_type=media_type,
            body=_streamed(answer, figures, begun, usage_asked=usage_asked)
            if streams
            else _whole(answer, figures, begun),
            figures=figures,
        )


def _again(status: int) -> bool:
    return status >= 500 or status in _AGAIN


def _failed(candidate: str, failed: str, failure: str) -> Passed:
    refusal = {"error": {"message": f"the server behind can't be reached ({failure})", "type": "upstream_error"}}

    async def body() -> AsyncIterator[bytes]:
        yield json.dumps(refusal).encode()

    return Passed(
        candidate=candidate,
        failed=failed,
        status=502,
        media_type="application/json",
        body=body(),
        figures={"error": failure},
    )


async def _streamed(
    answer: httpx.Response, figures: dict[str, Any], begun: float, *, usage_asked: bool
) -> AsyncIterator[bytes]:
    """Each event as it comes; without the one that tells tokens, unless the client asked for it."""
    usage = Usage()
    try:
        async for event in events(answer.aiter_bytes()):
            found = usage.read(event)
            if usage_asked or not found:
                yield event
            elif kept := without_usage(event):
                yield kept
        figures.update(usage.figures(), latency_ms=_since(begun))
    except httpx.HTTPError as error:
        # the client sees that it ends without [DONE]
        figures["error"] = type(error).__name__
    finally:
        await answer.aclose()


async def _whole(answer: httpx.Response, figures: dict[str, Any], begun: float) -> AsyncIterator[bytes]:
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in answer.aiter_bytes():
            size += len(chunk)
            if size <= _LARGEST_ANSWER:
                chunks.append(chunk)
            yield chunk
        if answer.status_code >= 400:
            figures["error"] = f"HTTP {answer.status_code}"
        else:
            figures.update(figures_of(b"".join(chunks)), latency_ms=_since(begun))
    except httpx.HTTPError as error:
        figures["error"] = type(error).__name__
    finally:
        await answer.aclose()


def _since(begun: float) -> float:
    return 1000 * (time.perf_counter() - begun)

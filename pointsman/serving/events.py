"""Server-sent events of a chat completion, and the tokens that an answer tells of. Standard library only."""

import json
from collections.abc import AsyncIterator
from typing import Any

_LARGEST_EVENT = 1_000_000
"""Bytes of an event that is looked into; of a larger one the bytes are handed on as they come."""
_TOKENS = (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens"))


async def events(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole events, each with the empty line that ends it; what is left at the end as it is."""
    held = b""
    async for chunk in chunks:
        held += chunk
        while (end := _end(held)) >= 0:
            yield held[:end]
            held = held[end:]
        if len(held) > _LARGEST_EVENT:
            yield held
            held = b""
    if held:
        yield held


def _end(held: bytes) -> int:
    """Where the first event ends; -1: it hasn't ended."""
    ends = [place + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (place := held.find(mark)) >= 0]
    return min(ends, default=-1)


def _document(event: bytes) -> dict[str, Any]:
    """An event's JSON object; empty where it has none."""
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    try:
        found = json.loads(b"\n".join(lines)) if lines and lines[0].startswith(b"{") else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class Usage:
    """The tokens and cost that a stream tells of."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def read(self, event: bytes) -> bool:
        """Whether an event tells of usage."""
        # most don't, and needn't be read
        if b'"usage"' not in event:
            return False
        usage = _document(event).get("usage")
        if not isinstance(usage, dict):
            return False
        self._found = usage
        return True

    def figures(self) -> dict[str, Any]:
        """As the decision log has them."""
        return _figures(self._found)


def without_usage(event: bytes) -> bytes:
    """The event as it is without its usage; empty where it says nothing else."""
    document = _document(event)
    if not document.get("choices"):
        return b""
    del document["usage"]
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def figures_of(body: bytes) -> dict[str, Any]:
    """Tokens and cost of a whole answer, as the decision log has them; what it doesn't tell is left out."""
    try:
        usage = json.loads(body).get("usage")
    except (ValueError, AttributeError):
        return {"error": "no JSON"}
    return _figures(usage) if isinstance(usage, dict) else {}


def _figures(usage: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for ours, theirs in _TOKENS:
        count = usage.get(theirs)
        if type(count) is int and 0 <= count < 2**62:
            found[ours] = count
    cost = usage.get("cost")
    if isinstance(cost, int | float) and 0 <= cost < 1e12:
        found["cost_usd"] = float(cost)
    return found

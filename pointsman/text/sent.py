"""How much text a candidate is sent: what windows and costs are measured by. Standard library only."""

from collections.abc import Mapping, Sequence
from typing import Any

_PARTS = (
    *("content", "text", "value", "source", "title", "context", "output", "summary", "thinking", "refusal"),
    *("name", "function_call", "tool_calls", "function", "custom"),
)
"""Fields of messages and of their parts (OpenAI chat and responses, Anthropic) that hold text, or further parts."""
_JSON = ("input", "arguments")
"""Fields of a tool's call: all that is in them is sent as text."""


def sent_characters(messages: Sequence[Any], tools: Any = None) -> int:
    """Characters of text in a conversation: every turn, what tools are, were called with and answered.

    Images, audio and files in base64 don't count: how many tokens they take says no length.

    Args:
        messages: of any form; what isn't text or can't hold any counts nothing.
        tools: descriptions of tools, plain JSON.

    >>> sent_characters([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}])
    14
    """
    total = 0
    # a list instead of recursion: a request may be nested deeper than Python's stack
    waiting: list[tuple[Any, bool]] = [(messages, False), (tools, True)]
    while waiting:
        value, plain = waiting.pop()
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, list | tuple):
            waiting += [(inner, plain) for inner in value]
        elif isinstance(value, Mapping) and plain:
            total += sum(len(name) for name in value if isinstance(name, str))
            waiting += [(inner, True) for inner in value.values()]
        elif isinstance(value, Mapping):
            waiting += [(value.get(name), False) for name in _PARTS]
            waiting += [(value.get(name), True) for name in _JSON]
            if value.get("type") == "text":
                # a document's source
                waiting.append((value.get("data"), False))
        elif plain and isinstance(value, int | float):
            total += len(repr(value))
    return total


def request_characters(request: Mapping[str, Any]) -> int:
    """The same of a whole request body: `messages`, else `input`, with `tools` and `functions`.

    >>> request_characters({"messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function"}]})
    14
    """
    turns = request.get("messages") or request.get("input")
    return sent_characters(
        turns if isinstance(turns, list | tuple) else [], [request.get("tools"), request.get("functions")]
    )

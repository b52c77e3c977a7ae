"""A planted answer as the events of a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def streamed(whole: str, body: Mapping[str, Any]) -> Iterator[bytes]:
    """The events of a chat completion that was asked for with `stream`, a word at a time, tokens last if asked for."""
    answer = json.loads(whole)
    text = answer["choices"][0]["message"]["content"]
    shared = {name: answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}

    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event(shared | {"choices": [choice]})

    yield event({"role": "assistant", "content": ""})
    yield from (event({"content": word}) for word in text.split(" ") if word)
    yield event({}, "stop")
    if (body.get("stream_options") or {}).get("include_usage"):
        yield _event(shared | {"choices": [], "usage": answer["usage"]})
    yield b"data: [DONE]\n\n"


def _event(document: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(document)}\n\n".encode()

"""Whatever form a conversation has, its text is counted, and its pictures aren't."""

import json
from typing import Any

import pytest

from pointsman.text.sent import request_characters, sent_characters

LONG = "x" * 20_000
HELLO = {"role": "user", "content": "Hello"}
BASE64 = {"type": "base64", "media_type": "image/png", "data": LONG}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "system", "content": LONG},
        {"role": "user", "content": [{"type": "text", "text": LONG}]},
        {"role": "user", "content": [{"type": "input_text", "text": LONG}]},
        {"role": "assistant", "content": [{"type": "output_text", "text": LONG}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": LONG}]},
        {"role": "tool", "content": LONG},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "tool_result", "content": LONG}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": LONG}]}]},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "a", "input": {"a": {"b": [LONG]}}}]},
        {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": LONG}}]},
        {"role": "user", "content": [{"type": "document", "source": {"type": "content", "content": [{"text": LONG}]}}]},
        {"type": "function_call_output", "call_id": "1", "output": LONG},
        {"type": "function_call_output", "call_id": "1", "output": [{"type": "input_text", "text": LONG}]},
        {"type": "function_call", "name": "f", "arguments": LONG},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": LONG}},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": {"a": LONG}}},
        {"role": "assistant", "content": "a", "tool_calls": [{"type": "function", "function": {"arguments": LONG}}]},
        {"role": "assistant", "tool_calls": [{"type": "function", "function": {"arguments": {"a": {"b": LONG}}}}]},
        {"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "f", "input": LONG}}]},
        {"role": "assistant", "tool_calls": [{"function": {"arguments": {"a": [0.5] * 7000}}}]},
    ],
)
def test_text_counts_wherever_it_stands(message: dict[str, Any]) -> None:
    assert 20_000 <= sent_characters([HELLO, message]) < 22_000
    assert request_characters({"messages": [HELLO, message]}) == sent_characters([HELLO, message])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + LONG}},
        {"type": "input_image", "image_url": LONG},
        {"type": "image", "source": BASE64},
        {"type": "document", "source": BASE64},
        {"type": "file", "file": {"file_data": LONG}},
        {"type": "input_file", "file_data": LONG},
        {"type": "input_audio", "input_audio": {"data": LONG, "format": "wav"}},
        {"type": "tool_result", "content": [{"type": "image", "source": BASE64}]},
    ],
)
def test_what_is_no_text_does_not(part: dict[str, Any]) -> None:
    assert sent_characters([HELLO, {"role": "user", "content": [part]}]) == 5


@pytest.mark.parametrize("odd", [5, True, "x", None, {}, [5], [[]], [{"function": 5}], {"a": 1}])
def test_odd_forms_count_little_and_break_nothing(odd: Any) -> None:
    names = ("content", "tool_calls", "function_call", "output", "input", "arguments", "source", "type", "text")
    assert sent_characters([{name: odd} for name in names]) < 50
    assert request_characters({"messages": odd, "input": odd, "tools": odd}) < 50


def test_tools_count_and_depth_is_no_matter() -> None:
    tools = [{"type": "function", "function": {"name": "f", "description": LONG, "parameters": {"type": "object"}}}]
    marks = sum(json.dumps(tools).count(mark) for mark in '[]{}:", ')
    for name in ("tools", "functions"):
        assert request_characters({"messages": [HELLO], name: tools}) == 5 + len(json.dumps(tools)) - marks
    deep: Any = "deep"
    for _ in range(50_000):
        deep = [deep]
    assert sent_characters([{"content": deep, "input": deep}]) == 8

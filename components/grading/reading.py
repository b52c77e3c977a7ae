"""What a model's text holds besides prose: thoughts between marks, and JSON."""

import json
import re
from typing import Any

Span = tuple[int, int, Any]
"""Where a JSON value begins and ends in a text, and the value."""
_THOUGHTS = r"think(?:ing)?|thoughts?|reasoning"
_BEGUN = re.compile(rf"\s*<(?:{_THOUGHTS})>", re.IGNORECASE)
_ENDED = re.compile(rf"</(?:{_THOUGHTS})>", re.IGNORECASE)
_THOUGHT = re.compile(rf"<({_THOUGHTS})>(?:(?!<\1>).)*?</\1>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"(?:```|~~~)[ \t]*([\w+-]*)[ \t]*\r?\n?(.*?)(?:```|~~~|\Z)", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_DECODER = json.JSONDecoder(strict=False)
_MOST_TRIES = 2000
"""Openings of a bracket that are tried: a text of brackets alone would take time with the square of its length."""


def without_thoughts(text: str) -> str:
    """The text without what a model thought before it answered (<think>...</think>).

    Thoughts that were cut off before they ended leave nothing.

    >>> without_thoughts("<think>A? No.</think>B"), without_thoughts("<think>A, for"), without_thoughts("a < b")
    ('B', '', 'a < b')
    """
    while begun := _BEGUN.match(text):
        ended = _ENDED.search(text, begun.end())
        if ended is None:
            return ""
        text = text[ended.end() :]
    text = _THOUGHT.sub("", text)
    # some servers swallow the opening mark; in JSON and in code the closing one is only mentioned
    ends = [] if text.lstrip().startswith(("{", "[", "`")) else [*_ENDED.finditer(text)]
    return text[ends[-1].end() :] if ends else text


def json_spans(text: str) -> list[Span]:
    """Every object and array in a text that isn't part of another one, in their order.

    >>> json_spans('Well: {"n": "{1}"} and [2]')
    [(6, 18, {'n': '{1}'}), (23, 26, [2])]
    """
    found: list[Span] = []
    at = 0
    for _ in range(_MOST_TRIES):
        opening = _OPENING.search(text, at)
        if opening is None:
            break
        at = opening.start() + 1
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except RecursionError:
            break
        except ValueError:
            continue
        found.append((opening.start(), end, value))
        at = end
    return found


def json_answer(text: str) -> Any:
    """The JSON value that a text gives as its answer: all of it, else its last fenced block, else the longest value.

    Raises:
        ValueError: it holds none.

    >>> json_answer('As wished [1]:\\n{"n": 3}'), json_answer('```json {"n": 4}```\\nThen run\\n```bash\\nls\\n```')
    ({'n': 3}, {'n': 4})
    """
    fenced = [(name.lower().startswith("json"), body) for name, body in reversed(_FENCE.findall(text))]
    # a block that is called JSON goes before the others, of each kind the last
    for piece in (text, *(body for named in (True, False) for called, body in fenced if called is named)):
        try:
            return json.loads(piece)
        except (ValueError, RecursionError):
            continue
    spans = json_spans(text)
    if not spans:
        raise ValueError("no JSON in the text")
    return max(spans, key=lambda span: span[1] - span[0])[2]

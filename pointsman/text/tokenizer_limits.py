"""What a tokenizer.json may ask for, looked at before the library builds anything of it.

A pattern that repeats what repeats, such as (a+)+, can take longer than the universe lasts on a short prompt.
"""

import json
from collections.abc import Iterator
from typing import Any

LARGEST = 64 * 1024**2
"""Characters of the document."""
DEEPEST = 64
"""Levels of objects and lists in one another."""
MOST_ENTRIES = 2_000_000
"""Tokens, merges or scores of a vocabulary."""
LONGEST_PATTERN = 1000
"""Characters of a regular expression."""
MOST_PATTERNS = 16


def checked_document(content: str) -> dict[str, Any]:
    """The document, if it is within all limits.

    Raises:
        ValueError: it is no JSON object, too large, too deep, or has a pattern that may not end.
    """
    if len(content) > LARGEST:
        raise ValueError(f"tokenizer.json has {len(content)} characters, at most {LARGEST} are read")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"tokenizer.json can't be read: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("tokenizer.json can't be read: it is no object")
    patterns = list(_patterns(document, 0))
    if len(patterns) > MOST_PATTERNS:
        raise ValueError(f"tokenizer.json has {len(patterns)} patterns, at most {MOST_PATTERNS} are taken")
    for pattern in patterns:
        if len(pattern) > LONGEST_PATTERN or repeats_repetition(pattern):
            raise ValueError(f"tokenizer.json has a pattern that may take for ever: {pattern[:60]!r}")
    return document


def _patterns(value: Any, depth: int) -> Iterator[str]:
    """Every regular expression of the document: {"Regex": "..."}."""
    if depth > DEEPEST:
        raise ValueError(f"tokenizer.json is more than {DEEPEST} levels deep")
    if isinstance(value, dict | list) and len(value) > MOST_ENTRIES:
        raise ValueError(f"tokenizer.json has a list of {len(value)} entries, at most {MOST_ENTRIES} are read")
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "Regex" and isinstance(inner, str):
                yield inner
            elif isinstance(inner, dict | list):
                yield from _patterns(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from _patterns(inner, depth + 1)


def repeats_repetition(pattern: str) -> bool:
    r"""Whether a group that holds an unbounded repetition is itself repeated without bound, or refers back.

    >>> [repeats_repetition(one) for one in (r"(a+)+$", r"(?:\s*x)*", r"(\w)\1", r" ?\p{L}+|\s+(?!\S)", r"[+*]+(a|b)+")]
    [True, True, True, False, False]
    """
    inside: list[bool] = [False]
    """For each open group, whether it holds an unbounded repetition."""
    closed = False
    """Whether what was just read is a group that holds one."""
    place = 0
    while place < len(pattern):
        mark = pattern[place]
        if mark == "\\":
            if pattern[place + 1 : place + 2].isdigit() or pattern[place + 1 : place + 2] in ("k", "g"):
                return True
            closed, place = False, place + 2
            continue
        if mark == "[":
            place = _end_of_class(pattern, place)
            closed = False
            continue
        width = _unbounded(pattern, place)
        if width:
            if closed:
                return True
            inside[-1] = True
            place += width
            continue
        if mark == "(":
            inside.append(False)
            closed = False
        elif mark == ")" and len(inside) > 1:
            closed = inside.pop()
            inside[-1] |= closed
        elif mark not in "?{}0123456789,":
            closed = False
        place += 1
    return False


def _unbounded(pattern: str, place: int) -> int:
    """Characters of a quantifier without an upper bound that begins here; 0: there is none."""
    if pattern[place] in "*+":
        return 1
    end = pattern.find("}", place)
    if pattern[place] == "{" and end > place and pattern[place + 1 : end].endswith(","):
        return end - place + 1
    return 0


def _end_of_class(pattern: str, place: int) -> int:
    depth = 0
    while place < len(pattern):
        mark = pattern[place]
        if mark == "\\":
            place += 1
        elif mark == "[":
            depth += 1
        elif mark == "]":
            depth -= 1
            if not depth:
                return place + 1
        place += 1
    return place

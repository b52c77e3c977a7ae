"""JSON as logs hold it."""

import json
import re
from typing import Any

_HALVES = re.compile("[\ud800-\udfff]")


def loads(raw: bytes | str) -> Any:
    """As `json.loads`, but half of a surrogate pair, which cut texts end with and no file can hold, is U+FFFD.

    Raises:
        ValueError: as `json.loads`; nesting too deep for it.

    >>> loads(r'["whole \\ud83d\\ude00, half \\ud83d"]')
    ['whole 😀, half �']
    """
    try:
        content = json.loads(raw)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    escape = b"\\ud" if isinstance(raw, bytes) else "\\ud"
    return _whole(content) if escape in raw.lower() else content  # type: ignore[operator]


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return _HALVES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    return value

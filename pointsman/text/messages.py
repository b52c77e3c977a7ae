"""Prompts that were given as lists of messages, as their routed text."""

import json
import re
from typing import Any

import polars as pl

from pointsman.json_text import loads
from pointsman.text.conversation import ConversationConfig, ConversationError, routed_messages
from pointsman.text.sent import sent_characters

MESSAGES = ("prompt", "messages")
"""Columns that may hold messages."""
_WRITTEN = r"^\s*\[\s*\{(?s:.*)\"role\""
"""Messages as JSON text."""
_WRITTEN_PATTERN = re.compile(_WRITTEN)
_UNIFIED = r"^\{\"[^\n]*\}$|^\[\]$"
"""What polars makes of an object, or of no message at all, between texts."""
_UNIFIED_CONTENT = r"^\[(\{\"|\"|\]|null)|^\{\"|\x00"
"""What it makes of a list of parts between texts, and half of a surrogate pair."""


def with_routed_texts(frame: pl.DataFrame, conversation: ConversationConfig) -> pl.DataFrame:
    """A frame whose messages, as lists or as JSON text, are their routed text."""
    for name in MESSAGES:
        if name not in frame.columns:
            continue
        if frame.schema[name] == pl.String:
            if not frame[name].str.contains(_WRITTEN).any():
                continue
        elif not isinstance(frame.schema[name], pl.List):
            continue
        texts = [_routed(value, conversation) for value in frame[name].to_list()]
        frame = frame.with_columns(pl.Series(name, texts, dtype=pl.String))
    return frame


def row_with_routed_text(row: dict[str, Any], conversation: ConversationConfig) -> dict[str, Any]:
    """The same of one row: a row at a time, for the text is a small part of a conversation."""
    return row | {name: _routed(row[name], conversation) for name in MESSAGES if name in row}


def holds_odd_messages(values: pl.Series) -> bool:
    """Whether a column of text or messages, as polars read it, is neither all plain text nor messages of plain text.

    >>> plain = [{"role": "user", "content": "What is this?"}]
    >>> holds_odd_messages(pl.Series([plain])), holds_odd_messages(pl.Series(["What is this?"]))
    (False, False)
    >>> holds_odd_messages(pl.Series([plain, [{"role": "user", "content": '[{"type": "text"}]'}]]))
    True
    """
    if values.dtype == pl.String:
        return bool((values.str.contains(_UNIFIED) | values.str.contains(_WRITTEN)).any())
    if not values.dtype.is_nested():
        return False
    if not isinstance(values.dtype, pl.List) or not isinstance(values.dtype.inner, pl.Struct):
        return True
    kinds = {field.name: field.dtype for field in values.dtype.inner.fields}
    if any(kinds.get(name) != pl.String for name in ("role", "content")):
        return True
    content = values.explode().struct.field("content")
    return bool(content.str.contains(_UNIFIED_CONTENT).any())


def _routed(value: Any, conversation: ConversationConfig) -> Any:
    """A conversation's routed text, blank where it has none (quarantine names the row); other values as they are."""
    if isinstance(value, str) and _WRITTEN_PATTERN.match(value):
        value = _decoded(value)
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return value
    try:
        return routed_messages(value, conversation).text
    except ConversationError:
        return json.dumps(value) if value and not isinstance(value[0], dict) else ""


def _decoded(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def holds_messages(values: pl.Series) -> bool:
    """Whether a column of text or lists holds messages, as lists or as JSON text.

    >>> holds_messages(pl.Series(["What is this?"])), holds_messages(pl.Series(['[{"role": "user", "content": "Hi"}]']))
    (False, True)
    """
    if values.dtype == pl.String:
        return bool(values.str.contains(_WRITTEN).any())
    return isinstance(values.dtype, pl.List)


def asked(value: Any, conversation: ConversationConfig) -> tuple[str, tuple[str, ...], int]:
    """Of a text, or of messages as a list or as JSON text: what is routed, what it requires, and characters sent.

    What holds no text of a user, and None, is a blank text.

    >>> asked([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
    ...       ConversationConfig())
    ('Hello', (), 14)
    """
    if isinstance(value, str) and _WRITTEN_PATTERN.match(value):
        value = _decoded(value)
    if not isinstance(value, list):
        text = value if isinstance(value, str) else ""
        return text, (), len(text)
    try:
        routed = routed_messages(value, conversation)
    except ConversationError:
        return "", (), 0
    return routed.text, routed.requires, max(sent_characters(value), len(routed.text))

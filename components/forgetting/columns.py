"""Columns that name a prompt, found and read as the reader of tables finds and reads them."""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from components.tables.casting import source_of
from components.tables.schema import Column
from pointsman.text.conversation import ConversationConfig
from pointsman.text.messages import row_with_routed_text

TEXTS = ("prompt", "messages", "text")
"""Columns that hold a prompt's text; all others hold names."""


def columns_of(frame: pl.DataFrame, *names: str) -> list[pl.Series]:
    """The columns of these names that a table has, as texts; what is blank, or no text, is null.

    promptId and PROMPT_ID are prompt_id here as in a retrain. Whole numbers, decimals and categories are texts, and
    names are compared in Unicode NFC without spaces around.

    >>> columns_of(pl.DataFrame({"PROMPT_ID": [1, 2]}), "prompt_id", "decision_id")[0].to_list()
    ['1', '2']
    """
    sources = [(name, source_of(frame.columns, Column(name=name, dtype=pl.String()))) for name in names]
    return [_plain(frame[source[0]], name in TEXTS) for name, source in sources if source is not None]


def plain_names(names: Iterable[str]) -> frozenset[str]:
    """Names as they are compared; blank ones name nothing.

    >>> plain_names(["p1 ", " "])
    frozenset({'p1'})
    """
    return frozenset(unicodedata.normalize("NFC", name).strip() for name in names) - {""}


def texts_of_row(row: Mapping[str, Any], conversation: ConversationConfig) -> dict[str, str]:
    """A row of JSON with what can be read as text; whatever else it holds isn't looked at.

    >>> texts_of_row({"prompt_id": 7, "prompt": [{"role": "user", "content": "hi"}]}, ConversationConfig())
    {'prompt_id': '7', 'prompt': 'hi'}
    """
    said = row_with_routed_text(dict(row), conversation)
    return {name: text for name, value in said.items() if (text := _text(value)) is not None}


def _text(value: Any) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return None
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return str(int(value)) if value.is_integer() else str(value)
    return None


def _plain(values: pl.Series, prompts: bool) -> pl.Series:
    texts = _texts(values)
    if not prompts:
        texts = texts.str.normalize("NFC").str.strip_chars()
    # a blank one names nothing, and two rows that lack an id aren't of one prompt
    return texts.set(texts.str.strip_chars() == "", None)


def _texts(values: pl.Series) -> pl.Series:
    held = values.dtype
    if held == pl.String:
        return values
    if held.is_integer() or isinstance(held, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    if held.is_float():
        # pandas writes whole numbers with gaps as 1.0
        return pl.Series(values.name, [_text(value) for value in values.to_list()], dtype=pl.String)
    if held.is_decimal():
        return values.cast(pl.String).str.replace(r"\.0+$", "")
    return pl.Series(values.name, [None] * values.len(), dtype=pl.String)

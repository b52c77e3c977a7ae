"""Lists of texts that were written as one text: a JSON list, or words with commas between."""

import json
from typing import Any

import polars as pl

from components.tables.schema import TEXTS


def text_lists(values: pl.Series) -> pl.Series:
    """Texts as lists; null where a text begins like a JSON list and is no JSON list of texts.

    >>> text_lists(pl.Series(["tools, json", '["a, b"]', "[]", "[tools", None])).to_list()
    [['tools', 'json'], ['a, b'], [], None, None]
    """
    words = values.str.split(",").list.eval(pl.element().str.strip_chars()).list.filter(pl.element() != "")
    is_json = values.str.contains(r"^\s*\[").fill_null(False)
    if not is_json.any():
        return words
    # exporters write the same few lists again and again: each is parsed once
    written = values.filter(is_json).unique()
    parsed = pl.DataFrame(
        {"text": written, "parsed": pl.Series([_parsed(text) for text in written], dtype=TEXTS)},
    )
    frame = pl.DataFrame({"text": values, "words": words, "is_json": is_json})
    joined = frame.join(parsed, on="text", how="left", maintain_order="left")
    return joined.select(pl.when("is_json").then("parsed").otherwise("words")).to_series().alias(values.name)


def _parsed(text: str) -> list[str] | None:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, list) and all(isinstance(one, str) for one in content) else None

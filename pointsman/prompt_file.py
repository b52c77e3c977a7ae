"""Files of prompts: read whatever wrote them, as frames whose rows pass through, and the prompts in them."""

import csv
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pointsman.errors import InputError
from pointsman.json_rows import BOM, WIDE_BOMS, document, place, rows_of_lines
from pointsman.sizes import PACKED, parquet_size
from pointsman.text.conversation import ConversationConfig
from pointsman.text.messages import MESSAGES, asked, holds_messages, holds_odd_messages

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
MOST_ROWS = 5_000_000
"""Of a file of prompts."""
LARGEST = 2 * 1024**3
"""Bytes of a file of prompts, decompressed, and of its prompts' texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What is asked in the N rows of a file."""

    texts: Sequence[str]
    """To be routed; blank: nothing is asked."""
    requires: Sequence[tuple[str, ...]] | None = None
    """Capabilities that each needs, because of what its messages hold; None: there are no messages."""
    characters: Sequence[int] | None = None
    """Of all that a candidate is sent; None: of the texts."""


def read_rows(source: Path) -> pl.DataFrame:
    """The rows of a parquet, jsonl, json or csv file as they are.

    Byte-order marks are passed over, NaN is null, and csv may have commas, semicolons or tabs between its cells. In
    JSON, messages that are of no one form, and other columns of mixed types, become text.

    Raises:
        InputError: an unknown suffix, a file that is too large or holds no row, or one that can't be read; of text
            formats the message names the line.
    """
    if source.suffix not in SUFFIXES:
        raise InputError(f"{source}: must end in one of {', '.join(SUFFIXES)}")
    try:
        head = _checked_head(source)
        match source.suffix:
            case ".parquet":
                return pl.read_parquet(source)
            case ".csv":
                return _csv(source)
            case _:
                frame = _json(source, marked=head.startswith(BOM))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{source}: can't be read as {source.suffix[1:]}: {error}") from error
    if frame.is_empty():
        raise InputError(f"{source}: can't be read as {source.suffix[1:]}: it holds no row")
    return frame


def prompt_column(source: Path, frame: pl.DataFrame) -> str:
    """Which column the prompts are in: `prompt`, else `messages`.

    Raises:
        InputError: neither holds texts or lists of messages.
    """
    for name in MESSAGES:
        if name in frame.columns:
            kind = frame.schema[name]
            if kind in (pl.String, pl.Null) or (isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct)):
                return name
    found = ", ".join(f"{name} ({kind})" for name, kind in frame.schema.items()) or "none"
    raise InputError(f"{source}: needs a text column 'prompt'; its columns: {found}")


def prompts_of(values: pl.Series, conversation: ConversationConfig) -> Prompts:
    """What is asked in a column of texts, or of messages as lists or as JSON text; null: nothing."""
    if not holds_messages(values):
        return Prompts(texts=values.cast(pl.String).fill_null("").to_list())
    rows = [asked(value, conversation) for value in values.to_list()]
    texts, requires, characters = zip(*rows, strict=True)
    return Prompts(texts=texts, requires=requires, characters=characters)


def _checked_head(source: Path) -> bytes:
    """A file's first bytes; refuses what a small file may become, before any of it is decoded."""
    rows, size, head = 0, source.stat().st_size, b""
    if source.suffix == ".parquet":
        rows, size = parquet_size(source)
    else:
        with source.open("rb") as file:
            head = file.read(4)
        if head.startswith(PACKED):
            raise InputError(f"{source}: is packed; unpack it first")
        if head[:2] in WIDE_BOMS:
            raise InputError(f"{source}: is UTF-16; save it as UTF-8")
    if rows > MOST_ROWS:
        raise InputError(f"{source}: has {rows} rows, at most {MOST_ROWS} are read: split it")
    if size > LARGEST:
        raise InputError(f"{source}: has {size} bytes decompressed, at most {LARGEST} are read: split it")
    return head


def _csv(source: Path) -> pl.DataFrame:
    with source.open("rb") as file:
        # what stands in quotes separates nothing
        header = re.sub(rb'"[^"]*"', b"", file.readline().removeprefix(BOM))
    if not header.strip() and source.stat().st_size <= len(BOM):
        raise InputError(f"{source}: can't be read as csv: it holds no row")
    separator = max(",;\t", key=lambda mark: header.count(mark.encode()))
    try:
        # a cell is a text: "017" stays what it is
        return pl.read_csv(source, infer_schema=False, separator=separator)
    except pl.exceptions.NoDataError:
        raise InputError(f"{source}: can't be read as csv: it holds no row") from None
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{source}: can't be read as csv: {_csv_fault(source, separator) or error}") from error


def _csv_fault(source: Path, separator: str) -> str:
    """The first line of a csv file that nobody can read, and why; '': none is found."""
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, delimiter=separator)
            names = next(rows, [])
            for row in rows:
                if len(row) > len(names):
                    return f"line {rows.line_num} has {len(row)} cells, the first line {len(names)}"
    except UnicodeDecodeError:
        raw = source.read_bytes()
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            line, byte = place(raw, error.start)
            return f"line {line}, byte {byte}: not UTF-8 ({error.reason})"
    except csv.Error as error:
        return f"line {rows.line_num}: {error}"
    return ""


def _json(source: Path, *, marked: bool) -> pl.DataFrame:
    """By polars; where that fails, or may have read something else than is written, by Python."""
    lines = source.suffix != ".json"
    if not marked:
        try:
            frame = (pl.read_ndjson if lines else pl.read_json)(source, infer_schema_length=None)
            if not any(holds_odd_messages(frame[name]) for name in MESSAGES if name in frame.columns):
                return frame
        except pl.exceptions.PolarsError:
            pass
    rows = list(rows_of_lines(source)) if lines else document(source)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{source}: must be a list of objects")
    names = dict.fromkeys(name for row in rows for name in row)
    return pl.DataFrame({name: _series(name, [row.get(name) for row in rows]) for name in names})


def _series(name: str, values: list[Any]) -> pl.Series:
    # NaN, as pandas writes what is missing, is null in columns of every type
    values = [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    nested = any(isinstance(value, list | dict) for value in values)
    if not (nested and name in MESSAGES):
        try:
            return pl.Series(name, values, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass
    texts = [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values
    ]
    return pl.Series(name, texts, dtype=pl.String)

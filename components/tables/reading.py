"""One file of a table as a frame: parquet, jsonl or json, checked for size before it is decoded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.arrow import parquet_size
from components.tables.casting import source_of
from components.tables.errors import TableError
from components.tables.json_rows import array_rows, frame_of_rows, line_rows
from components.tables.schema import TableSchema
from pointsman.json_rows import BOM, WIDE_BOMS
from pointsman.sizes import PACKED
from pointsman.text.conversation import DEFAULT, ConversationConfig
from pointsman.text.messages import MESSAGES, holds_odd_messages, row_with_routed_text, with_routed_texts

SUFFIXES = (".parquet", ".jsonl", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Largest table that is read at all: a small file can hold more than a machine can."""

    rows: int = 5_000_000
    """Rows of a parquet file, as its footer says, >= 1."""
    size: int = 8 * 2**30
    """Bytes: of text files on disk, of parquet when decompressed, >= 1."""


LIMITS = ReadLimits()


def read_frame(
    path: Path, schema: TableSchema, limits: ReadLimits = LIMITS, conversation: ConversationConfig = DEFAULT
) -> pl.DataFrame:
    """A file as it is, but prompts given as lists of messages become their routed text.

    Args:
        path: of the file.
        schema: of its table.
        limits: of its size.
        conversation: which turns of messages are routed.

    Raises:
        TableError: unreadable or too large; text formats name the line, or the line and column.
    """
    try:
        match path.suffix:
            case ".parquet":
                _check_footer(path, limits)
                return with_routed_texts(pl.read_parquet(path, hive_partitioning=False), conversation)
            case ".jsonl":
                return _read_text(path, schema, limits, pl.read_ndjson, line_rows, conversation)
            case _:
                return _read_text(path, schema, limits, pl.read_json, array_rows, conversation)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: {error}") from error


def _check_footer(path: Path, limits: ReadLimits) -> None:
    rows, size = parquet_size(path)
    if rows > limits.rows:
        raise TableError(f"{path}: has {rows} rows, more than {limits.rows} that are read; a sample will do")
    if size > limits.size:
        raise TableError(f"{path}: has {size} bytes decompressed, more than {limits.size} that are read")


def _read_text(
    path: Path,
    schema: TableSchema,
    limits: ReadLimits,
    fast: Callable[..., pl.DataFrame],
    careful: Callable[[Path, TableSchema], Iterable[dict[str, Any]]],
    conversation: ConversationConfig,
) -> pl.DataFrame:
    """By polars; where that fails (NaN of Python, an object by model, mixed types) by Python, which names the line."""
    if path.stat().st_size > limits.size:
        raise TableError(f"{path}: has {path.stat().st_size} bytes, more than {limits.size} that are read")
    with path.open("rb") as file:
        head = file.read(4)
    by_key = head.lstrip()[:1] == b"{" and path.suffix == ".json"
    if head.startswith(PACKED):
        raise TableError(f"{path}: is packed; unpack it first")
    if head[:2] in WIDE_BOMS:
        raise TableError(f"{path}: is UTF-16; save it as UTF-8")
    if not head.startswith(BOM) and not by_key:
        try:
            frame = fast(path, infer_schema_length=None)
            if not _holds_odd_values(frame, schema):
                return with_routed_texts(frame, conversation)
        except pl.exceptions.PolarsError:
            pass
    rows = [row_with_routed_text(row, conversation) for row in careful(path, schema)]
    if not rows:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: it holds no row")
    return frame_of_rows(schema, rows)


def _holds_odd_values(frame: pl.DataFrame, schema: TableSchema) -> bool:
    """Whether polars may have read something else than is written; Python reads such files exactly and by row.

    Of messages' contents that are texts and lists of parts polars makes JSON text, of half a surrogate pair a zero
    character, and of a column that holds one list among numbers lists, so that nobody knows which row is odd.
    """
    if any(
        frame[name].str.contains("\0", literal=True).any() for name in frame.columns if frame.schema[name] == pl.String
    ):
        return True
    if any(holds_odd_messages(frame[name]) for name in MESSAGES if name in frame.columns):
        return True
    for column in schema.columns:
        source = source_of(frame.columns, column)
        if source is None or source[0] == "prompt":
            continue
        values = frame[source[0]]
        if values.dtype.is_nested() and not (isinstance(column.dtype, pl.List) and isinstance(values.dtype, pl.List)):
            return True
    return False

"""Finding, reading and writing the tables: parquet, jsonl or json in, parquet out, whole or not at all."""

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.casting import cast_cells, cast_frame, source_of
from components.tables.conversation import read_conversation, write_conversation
from components.tables.errors import TableError
from components.tables.finding import find_table, odd_files, put_away_others, table_files, warn_of_others
from components.tables.reading import LIMITS, ReadLimits, read_frame
from components.tables.schema import OPTIONAL_SCHEMAS, SCHEMAS, TableSchema

__all__ = [
    "TableError",
    "Tables",
    "file_digest",
    "find_table",
    "read_table",
    "read_tables",
    "table_file",
    "table_files",
    "write_parquet",
    "write_tables",
]
from pointsman.durable import write_whole
from pointsman.text.conversation import DEFAULT, ConversationConfig

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of a log, each with exactly the columns and types of its schema."""

    prompts: pl.DataFrame
    candidates: pl.DataFrame
    outcomes: pl.DataFrame
    grades: pl.DataFrame | None = None
    """One grader's word on one answer a row; None: there is no such table."""
    responses: pl.DataFrame | None = None
    """The candidates' answers; None: there is no such table."""
    conversation: ConversationConfig = DEFAULT
    """Which turns of conversations made the prompts."""
    unread: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """By table, which cells couldn't be read and are null: a column of truth a reason, for `quarantine`."""

    def having(self, schema: TableSchema, frame: pl.DataFrame) -> "Tables":
        """The same with another table of this schema."""
        named: dict[str, Any] = {schema.name: frame}
        return replace(self, **named)


def table_file(folder: Path | None, schema: TableSchema) -> str:
    """How messages name a table: by its file where that is known, else by its name."""
    if folder is None:
        return f"table '{schema.name}'"
    try:
        return str(find_table(folder, schema))
    except TableError:
        return f"{folder}: table '{schema.name}'"


def read_table(
    path: Path, schema: TableSchema, limits: ReadLimits = LIMITS, conversation: ConversationConfig = DEFAULT
) -> pl.DataFrame:
    """A table with exactly its schema's columns and types; optional columns that are absent become nulls.

    Raises:
        TableError: unreadable or too large a file, missing column, or a column that can't be cast without loss.
    """
    return cast_frame(read_frame(path, schema, limits, conversation), path, schema)


def read_tables(
    folder: Path, limits: ReadLimits = LIMITS, but: Collection[Path] = (), *, set_aside: bool = False
) -> Tables:
    """All tables of a folder; grades and responses only where they lie there, with their columns.

    Args:
        folder: of the tables.
        limits: of each file's size.
        but: files that are passed over where there is another of the same table.
        set_aside: cells that can't be read are null and marked in `unread`, for `quarantine` to set their rows aside;
            else they are refused.

    Raises:
        TableError: as `find_table` and `read_table`.
    """
    conversation = read_conversation(folder) if folder.is_dir() else DEFAULT
    files = {schema: find_table(folder, schema, but) for schema in SCHEMAS}
    read = {}
    for schema, path in files.items():
        warn_of_others(path, schema, but)
        read[schema.name] = _cast(read_frame(path, schema, limits, conversation), path, schema, set_aside)
    for schema in OPTIONAL_SCHEMAS:
        optional = _read_optional(folder, schema, limits, set_aside)
        if optional is not None:
            read[schema.name] = optional
    frames: dict[str, Any] = {name: frame for name, (frame, _) in read.items()}
    unread = {name: lost for name, (_, lost) in read.items() if lost.width}
    return Tables(**frames, conversation=conversation, unread=unread)


def _cast(frame: pl.DataFrame, path: Path, schema: TableSchema, set_aside: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    return cast_cells(frame, path, schema) if set_aside else (cast_frame(frame, path, schema), pl.DataFrame())


def write_tables(tables: Tables, folder: Path, but: Collection[Path] = ()) -> None:
    """Writes the tables as zstd parquet into a folder, each file whole or not at all; absent ones aren't touched.

    Another file of a table that was written is renamed to end in `.replaced`, for nobody could say which one counts.

    Args:
        tables: to write.
        folder: where; it is made if need be.
        but: files that are named as tables and are something else: they stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for schema in (*SCHEMAS, *OPTIONAL_SCHEMAS):
        frame: pl.DataFrame | None = getattr(tables, schema.name)
        if frame is not None:
            path = folder / f"{schema.name}.parquet"
            write_parquet(frame, path)
            put_away_others(path, schema, but)
    write_conversation(folder, tables.conversation)


def _read_optional(
    folder: Path, schema: TableSchema, limits: ReadLimits, set_aside: bool
) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    if not table_files(folder, schema):
        for odd in odd_files(folder, schema):
            _LOG.warning("%s: no %s are read: %s", folder, schema.name, odd)
        return None
    path = find_table(folder, schema)
    warn_of_others(path, schema)
    frame = read_frame(path, schema, limits)
    missing = [column.name for column in schema.columns if column.required and source_of(frame.columns, column) is None]
    if missing:
        _LOG.warning("%s is left alone: as a table of %s it lacks %s", path, schema.name, ", ".join(missing))
        return None
    return _cast(frame, path, schema, set_aside)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Writes one frame as zstd parquet: aside, flushed to disk, then renamed over `path`."""
    write_whole(path, lambda aside: frame.write_parquet(aside, compression="zstd"))


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Finding, reading and writing the tables: parquet, jsonl or json in, parquet out, whole or not at all."""

import hashlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.casting import cast_frame
from components.tables.conversation import read_conversation, write_conversation
from components.tables.errors import TableError
from components.tables.reading import LIMITS, SUFFIXES, ReadLimits, read_frame
from components.tables.schema import OPTIONAL_SCHEMAS, SCHEMAS, TableSchema

__all__ = [
    "TableError",
    "Tables",
    "file_digest",
    "find_table",
    "read_table",
    "read_tables",
    "table_file",
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

    def having(self, schema: TableSchema, frame: pl.DataFrame) -> "Tables":
        """The same with another table of this schema."""
        named: dict[str, Any] = {schema.name: frame}
        return replace(self, **named)


def find_table(folder: Path, schema: TableSchema) -> Path:
    """Path of a table's file in a folder, whichever of its known names and formats it has.

    Raises:
        TableError: the folder or the file is missing.
    """
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder")
    names = [stem + suffix for stem in schema.stems for suffix in SUFFIXES]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise TableError(f"{folder}: table '{schema.name}' is missing (looked for {', '.join(names)})")


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


def read_tables(folder: Path, limits: ReadLimits = LIMITS) -> Tables:
    """All tables of a folder; grades and responses only where they lie there, with their columns.

    Raises:
        TableError: as `find_table` and `read_table`.
    """
    conversation = read_conversation(folder) if folder.is_dir() else DEFAULT
    prompts, candidates, outcomes = (
        read_table(find_table(folder, schema), schema, limits, conversation) for schema in SCHEMAS
    )
    grades, responses = (_read_optional(folder, schema, limits) for schema in OPTIONAL_SCHEMAS)
    return Tables(
        prompts=prompts,
        candidates=candidates,
        outcomes=outcomes,
        grades=grades,
        responses=responses,
        conversation=conversation,
    )


def write_tables(tables: Tables, folder: Path) -> None:
    """Writes the tables as zstd parquet into a folder, each file whole or not at all; absent ones aren't touched."""
    folder.mkdir(parents=True, exist_ok=True)
    for schema in (*SCHEMAS, *OPTIONAL_SCHEMAS):
        frame: pl.DataFrame | None = getattr(tables, schema.name)
        if frame is not None:
            write_parquet(frame, folder / f"{schema.name}.parquet")
    write_conversation(folder, tables.conversation)


def _read_optional(folder: Path, schema: TableSchema, limits: ReadLimits) -> pl.DataFrame | None:
    if not any((folder / f"{stem}{suffix}").is_file() for stem in schema.stems for suffix in SUFFIXES):
        return None
    path = find_table(folder, schema)
    frame = read_frame(path, schema, limits)
    missing = [column.name for column in schema.columns if column.required and column.name not in frame.columns]
    if missing:
        _LOG.warning("%s is left alone: as a table of %s it lacks %s", path, schema.name, ", ".join(missing))
        return None
    return cast_frame(frame, path, schema)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Writes one frame as zstd parquet: aside, flushed to disk, then renamed over `path`."""
    write_whole(path, lambda aside: frame.write_parquet(aside, compression="zstd"))


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

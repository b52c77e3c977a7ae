"""Reading and writing the tables: parquet, jsonl or json in, parquet out, whole or not at all."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS, Column, TableSchema

_STEMS = {"prompts": ("prompts",), "candidates": ("candidates", "models"), "outcomes": ("outcomes",)}
_SUFFIXES = (".parquet", ".jsonl", ".json")


class TableError(ValueError):
    """A table that can't be used; the message names the file, the rule and the first offending rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The three tables, each with exactly the columns and types of its schema."""

    prompts: pl.DataFrame
    candidates: pl.DataFrame
    outcomes: pl.DataFrame


def find_table(folder: Path, schema: TableSchema) -> Path:
    """Path of a table's file in a folder, whichever of its known names and formats it has.

    Raises:
        TableError: the folder or the file is missing.
    """
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder")
    names = [stem + suffix for stem in _STEMS[schema.name] for suffix in _SUFFIXES]
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


def read_table(path: Path, schema: TableSchema) -> pl.DataFrame:
    """A table with exactly its schema's columns and types; optional columns that are absent become nulls.

    Raises:
        TableError: unreadable file, missing column, or a column that can't be cast without loss.
    """
    try:
        frame = _read(path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: {_bad_bytes(path) or error}") from error
    missing = [c.name for c in schema.columns if c.required and c.name not in frame.columns]
    if missing:
        raise TableError(f"{path}: missing column(s) {missing}; found {frame.columns}")
    return pl.DataFrame([_cast(frame, path, column) for column in schema.columns])


def read_tables(folder: Path) -> Tables:
    """All three tables of a folder.

    Raises:
        TableError: as `find_table` and `read_table`.
    """
    prompts, candidates, outcomes = (read_table(find_table(folder, s), s) for s in (PROMPTS, CANDIDATES, OUTCOMES))
    return Tables(prompts=prompts, candidates=candidates, outcomes=outcomes)


def write_tables(tables: Tables, folder: Path) -> None:
    """Writes the three tables as zstd parquet into a folder, each file whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for schema in (PROMPTS, CANDIDATES, OUTCOMES):
        frame: pl.DataFrame = getattr(tables, schema.name)
        write_parquet(frame, folder / f"{schema.name}.parquet")


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Writes one frame as zstd parquet: aside, flushed to disk, then renamed over `path`."""
    write_whole(path, lambda aside: frame.write_parquet(aside, compression="zstd"))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file beside `path`, flushes it to disk and renames it over `path`; a crash leaves the old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    aside = Path(name)
    try:
        write(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path) -> pl.DataFrame:
    match path.suffix:
        case ".parquet":
            return pl.read_parquet(path)
        case ".jsonl":
            return pl.read_ndjson(path, infer_schema_length=None)
        case _:
            return pl.read_json(path, infer_schema_length=None)


def _bad_bytes(path: Path) -> str | None:
    """Where a text file stops being UTF-8, for polars tells the line wrongly or not at all; None: nowhere."""
    if path.suffix == ".parquet" or not path.is_file():
        return None
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"line {number}, byte {error.start}: not UTF-8 ({error.reason})"
    return None


def _cast(frame: pl.DataFrame, path: Path, column: Column) -> pl.Series:
    """One column in its schema's type.

    NaN in a column that may be null reads as null: pandas writes unknown numbers so.
    """
    name, dtype = column.name, column.dtype
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, dtype=dtype)
    values = frame[name]
    if column.nullable and values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype == dtype:
        return values
    if values.dtype.is_nested() or (
        dtype == pl.String and values.dtype != pl.Null and not isinstance(values.dtype, pl.Categorical | pl.Enum)
    ):
        raise TableError(f"{path}: column '{name}' must be {dtype}, is {values.dtype}; row 0 holds {values[0]!r}")
    try:
        to_date = values.dtype == pl.String and dtype == pl.Date
        cast = values.str.to_date("%Y-%m-%d", strict=False) if to_date else values.cast(dtype, strict=False)
    except pl.exceptions.PolarsError as error:
        raise TableError(f"{path}: column '{name}' must be {dtype}, is {values.dtype}: {error}") from error
    lost = cast.is_null() & values.is_not_null()
    if lost.any():
        row = int(lost.arg_true()[0])
        raise TableError(f"{path}: column '{name}' must be {dtype}; row {row} holds {values[row]!r}")
    if dtype.is_integer() and values.dtype.is_float() and (cast.cast(pl.Float64) != values).any():
        row = int((cast.cast(pl.Float64) != values).arg_true()[0])
        raise TableError(f"{path}: column '{name}' must be whole numbers; row {row} holds {values[row]!r}")
    return cast

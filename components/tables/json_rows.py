"""Rows of JSON read by Python, which takes what polars doesn't and names the line of what nobody can read."""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.casting import EXACT, source_of
from components.tables.errors import TableError
from components.tables.schema import Column, TableSchema
from pointsman.errors import InputError
from pointsman.json_rows import BOM, document, rows_of_lines


def line_rows(path: Path, _: TableSchema) -> Iterator[dict[str, Any]]:
    """Rows of a file of JSON lines.

    Raises:
        TableError: a line that isn't UTF-8 or no JSON object, by its number.
    """
    try:
        yield from rows_of_lines(path)
    except InputError as error:
        raise TableError(str(error)) from error


def array_rows(path: Path, schema: TableSchema) -> Iterator[dict[str, Any]]:
    """Rows of a list of objects, or of one object that has them by their key: {"model-a": {"provider": ..}, ..}.

    Raises:
        TableError: neither of the two, a key that stands there twice, or no JSON in UTF-8.
    """
    try:
        content = document(path)
    except InputError as error:
        raise TableError(str(error)) from error
    if isinstance(content, dict) and all(isinstance(row, dict) for row in content.values()):
        _require_once(path, schema)
        content = [{schema.key[0]: key} | row for key, row in content.items()]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise TableError(f"{path}: must be a list of objects, or an object of objects by {schema.key[0]}")
    yield from content


def _require_once(path: Path, schema: TableSchema) -> None:
    """Of two rows of one key Python's json would keep the last without a word."""
    keys: list[str] = []

    def seen(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # the outermost object is the last that is closed
        keys[:] = [key for key, _ in pairs]
        return {}

    json.loads(path.read_bytes().removeprefix(BOM), object_pairs_hook=seen)
    twice = sorted({key for key, count in Counter(keys).items() if count > 1})
    if twice:
        raise TableError(f"{path}: {schema.key[0]} {', '.join(map(repr, twice))} stands there more than once")


def frame_of_rows(schema: TableSchema, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a frame; what stands in one of the schema's columns is kept, as text where the values are of many kinds.

    Casting then says of each row whether it can be read. Other columns are null where they hold what no column can.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    own = {source[0]: column for column in schema.columns if (source := source_of(names, column)) is not None}
    return pl.DataFrame({name: _series(name, [_known(row.get(name)) for row in rows], own.get(name)) for name in names})


def _known(value: Any) -> Any:
    """NaN, as pandas writes what is missing, is null in columns of every type."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _series(name: str, values: list[Any], column: Column | None) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    nested = bool(kinds & {dict, list})
    listed = column is not None and isinstance(column.dtype, pl.List) and kinds == {list}
    if column is None or not nested or listed:
        try:
            return pl.Series(name, values, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass
    if not nested and not any(isinstance(value, int) and abs(value) >= EXACT for value in values):
        try:  # whole numbers, fractions and truth values in one column
            return pl.Series(name, values, dtype=pl.Float64, strict=True)
        except (TypeError, pl.exceptions.PolarsError):
            pass
    if nested and column is None:
        # such a column is none of the table's, so it needn't be read
        return pl.Series(name, [None] * len(values), dtype=pl.String)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < EXACT else str(value)

"""Columns in their schema's types, without loss: what can't be cast exactly is refused by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from components.tables.converting import EXACT, converted, parse_times, unknown_cells, wanted
from components.tables.errors import TableError
from components.tables.schema import Column, TableSchema

__all__ = ["EXACT", "cast_cells", "cast_frame", "parse_times", "shaped", "source_of", "unread_reason"]


def cast_frame(frame: pl.DataFrame, path: Path, schema: TableSchema) -> pl.DataFrame:
    """Exactly a schema's columns and types; optional columns that are absent become nulls.

    Raises:
        TableError: a column is missing or can't be cast without loss; names its first offending row.
    """
    read = _cast_all(frame, path, schema)
    for one in read:
        if one.lost is not None:
            row = int(one.lost.arg_true()[0])
            raise TableError(
                f"{path}: column '{one.source}' must be {wanted(one.column)}; "
                f"row {row} holds {_short(frame[one.source][row])}"
            )
    return pl.DataFrame([one.values for one in read])


def cast_cells(frame: pl.DataFrame, path: Path, schema: TableSchema) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same, but cells that can't be read are null; which ones says the second frame, a column of truth a reason.

    Raises:
        TableError: a column is missing, or of a type that no cell of it can be read from.
    """
    read = _cast_all(frame, path, schema)
    lost = [one.lost.alias(unread_reason(one.column)) for one in read if one.lost is not None]
    return pl.DataFrame([one.values for one in read]), pl.DataFrame(lost)


def unread_reason(column: Column) -> str:
    """Why a row is faulty that has a cell which can't be read.

    >>> unread_reason(Column(name="quality", dtype=pl.Float64()))
    "quality isn't a number"
    """
    return f"{column.name} isn't {wanted(column)}"


def shaped(frame: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Exactly a schema's columns and types, for frames that were made rather than read; absent columns are null.

    Raises:
        polars.exceptions.PolarsError: a column has no value of its type.
    """
    absent = [pl.lit(None).alias(name) for name in schema.dtypes if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in schema.dtypes.items())


def source_of(found: Sequence[str], column: Column) -> tuple[str, float] | None:
    """Which of the names that were found is a column's, and what its numbers are multiplied by; None: none is.

    Warehouses write PROMPT_ID and programs promptId for prompt_id; the name as it is documented goes first.

    >>> source_of(["Model", "max_input_tokens"], Column(name="model", dtype=pl.String()))
    ('Model', 1.0)
    """
    names = ((column.name, 1.0), *column.aliases)
    for name, factor in names:
        if name in found:
            return name, factor
    alike = {_bare(name): name for name in reversed(found)}
    return next(((alike[_bare(name)], factor) for name, factor in names if _bare(name) in alike), None)


def _bare(name: str) -> str:
    """A name without case and separators.

    >>> _bare("promptId") == _bare("PROMPT_ID") == _bare("prompt_id")
    True
    """
    return "".join(mark for mark in name.lower() if mark not in "_- .")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cast:
    column: Column
    source: str
    values: pl.Series
    lost: pl.Series | None = None
    """Which cells can't be read; None: all can."""


def _cast_all(frame: pl.DataFrame, path: Path, schema: TableSchema) -> list[_Cast]:
    chosen = {column.name: source_of(frame.columns, column) for column in schema.columns}
    missing = [column.name for column in schema.columns if column.required and chosen[column.name] is None]
    if missing:
        raise TableError(f"{path}: missing column(s) {missing}; found {frame.columns}")
    return [_cast(frame, path, column, chosen[column.name]) for column in schema.columns]


def _cast(frame: pl.DataFrame, path: Path, column: Column, source: tuple[str, float] | None) -> _Cast:
    name, dtype = column.name, column.dtype
    if source is None:
        return _Cast(column=column, source=name, values=pl.Series(name, [None] * frame.height, dtype=dtype))
    values, factor = _plain(frame[source[0]], column), source[1]
    if values.null_count() == frame.height:
        # pandas gives columns without a value any type
        values = pl.Series(name, [None] * frame.height, dtype=dtype)
    if values.dtype == dtype and factor == 1 and not column.name_of:
        return _Cast(column=column, source=source[0], values=values.alias(name))
    try:
        read = converted(values, column)
    except pl.exceptions.PolarsError as error:
        raise TableError(
            f"{path}: column '{source[0]}' must be {wanted(column)}, is {values.dtype}: {error}"
        ) from error
    if read is None:
        raise TableError(
            f"{path}: column '{source[0]}' must be {wanted(column)}, is {values.dtype}; row 0 holds {_short(values[0])}"
        )
    if column.nullable and read.dtype.is_float():
        read = read.fill_nan(None)
    lost = read.is_null() & ~unknown_cells(values, column)
    # a millionth of a millionth isn't told in prices
    read = (read if factor == 1 else (read * factor).round(9)).cast(dtype).alias(name)
    return _Cast(column=column, source=source[0], values=read, lost=lost if lost.any() else None)


def _plain(values: pl.Series, column: Column) -> pl.Series:
    """Categories as their texts, and NaN as null where it means that nothing is known."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    missing = column.nullable or column.dtype == pl.String
    return values.fill_nan(None) if missing and values.dtype.is_float() else values


def _short(value: object) -> str:
    return f"{value!r:.120}".replace("\n", " ")

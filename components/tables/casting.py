"""Columns in their schema's types, without loss: what can't be cast exactly is refused by row."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import polars as pl

from components.tables.errors import TableError
from components.tables.schema import TEXTS, TIME, Column, TableSchema
from components.tables.text_lists import text_lists

EXACT = 2**53
"""Largest whole number up to which floats tell all whole numbers apart."""
_UNKNOWN = ("", "nan", "n/a", "na", "null", "none", "-")
_TRUTHS = {"true": "1", "yes": "1", "false": "0", "no": "0"}
_WANTED: dict[pl.DataType, str] = {
    TIME: "a time like 2026-01-31T10:00:00Z or a date like 2026-01-31",
    TEXTS: "a list of texts",
    pl.Boolean(): "true or false",
    pl.Date(): "a date like 2026-01-31",
    pl.Float64(): "a number",
    pl.Int64(): "a whole number",
    pl.String(): "a text or a whole number",
}
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")


def cast_frame(frame: pl.DataFrame, path: Path, schema: TableSchema) -> pl.DataFrame:
    """Exactly a schema's columns and types; optional columns that are absent become nulls.

    Raises:
        TableError: a column is missing or can't be cast without loss; names its first offending row.
    """
    chosen = {column.name: _source(frame, column) for column in schema.columns}
    missing = [column.name for column in schema.columns if column.required and chosen[column.name] is None]
    if missing:
        raise TableError(f"{path}: missing column(s) {missing}; found {frame.columns}")
    return pl.DataFrame([_cast(frame, path, column, chosen[column.name]) for column in schema.columns])


def shaped(frame: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Exactly a schema's columns and types, for frames that were made rather than read; absent columns are null.

    Raises:
        polars.exceptions.PolarsError: a column has no value of its type.
    """
    absent = [pl.lit(None).alias(name) for name in schema.dtypes if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in schema.dtypes.items())


def parse_times(text: pl.Series) -> pl.Series:
    """ISO 8601 dates and times, with or without a zone, as UTC without one; null where a text is none.

    >>> parse_times(pl.Series(["2025-03-01T10:00:00Z", "2025-03-01 10:00:00+02:00", "2025-03-01", "May"])).to_list()[1:]
    [datetime.datetime(2025, 3, 1, 8, 0), datetime.datetime(2025, 3, 1, 0, 0), None]
    """
    plain = (
        text.str.strip_chars().str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(r"[Zz]$|( UTC)$", "+0000")
    )
    frame = pl.DataFrame({"text": plain})
    iso = pl.col("text")
    zoned = iso.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", strict=False)
    readings = [zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None)]
    readings += [iso.str.to_datetime(form, time_unit="us", strict=False) for form in _TIME_FORMATS]
    readings.append(iso.str.to_date("%Y-%m-%d", strict=False).cast(TIME))
    return frame.select(pl.coalesce(readings)).to_series().alias(text.name)


def _source(frame: pl.DataFrame, column: Column) -> tuple[str, float] | None:
    """Which column of the frame is read, and what its numbers are multiplied by.

    Warehouses write PROMPT_ID and programs promptId for prompt_id; the name as it is documented goes first.
    """
    return source_of(frame.columns, column)


def source_of(found: Sequence[str], column: Column) -> tuple[str, float] | None:
    """Which of the names that were found is a column's, and what its numbers are multiplied by; None: none is.

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


def _cast(frame: pl.DataFrame, path: Path, column: Column, source: tuple[str, float] | None) -> pl.Series:
    name, dtype = column.name, column.dtype
    if source is None:
        return pl.Series(name, [None] * frame.height, dtype=dtype)
    values, factor = frame[source[0]], source[1]
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    if column.nullable and values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype == dtype and factor == 1:
        return values.alias(name)
    if values.null_count() == frame.height:
        # pandas gives columns without a value any type
        return pl.Series(name, [None] * frame.height, dtype=dtype)
    try:
        read = _converted(_as_share(values) if column.maximum == 1 else values, dtype)
    except pl.exceptions.PolarsError as error:
        raise TableError(
            f"{path}: column '{source[0]}' must be {_WANTED[dtype]}, is {values.dtype}: {error}"
        ) from error
    if read is None:
        raise TableError(
            f"{path}: column '{source[0]}' must be {_WANTED[dtype]}, is {values.dtype}; row 0 holds {_short(values[0])}"
        )
    if column.nullable and read.dtype.is_float():
        read = read.fill_nan(None)
    unknown = values.is_null()
    if values.dtype == pl.String and dtype != pl.String and column.nullable:
        unknown |= values.str.strip_chars().str.to_lowercase().is_in(_UNKNOWN)
    lost = read.is_null() & ~unknown
    if lost.any():
        row = int(lost.arg_true()[0])
        raise TableError(
            f"{path}: column '{source[0]}' must be {_WANTED[dtype]}; row {row} holds {_short(values[row])}"
        )
    # a millionth of a millionth isn't told in prices
    return (read if factor == 1 else (read * factor).round(9)).cast(dtype).alias(name)


def _as_share(values: pl.Series) -> pl.Series:
    """Parts of one that were written with a comma or as percent, as numbers; all else as it is.

    >>> _as_share(pl.Series(["0,5", "12.5 %", "0.5", "1,000.5"])).to_list()
    ['0.5', '0.125', '0.5', '1,000.5']
    """
    if values.dtype != pl.String:
        return values
    plain = values.str.strip_chars().str.replace(r"^([+-]?\d+),(\d+)( *%)?$", "${1}.${2}${3}")
    percent = plain.str.extract(r"^([+-]?[\d.]+) *%$").cast(pl.Float64, strict=False) / 100
    return percent.cast(pl.String).zip_with(percent.is_not_null(), plain)


def _converted(values: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    """The values in a type, null where one can't be read; None: no value of this type ever can."""
    held = values.dtype
    if dtype == pl.String:
        return values.cast(pl.String) if held.is_integer() else None
    if isinstance(dtype, pl.List):
        return _to_list(values, dtype)
    if held.is_nested() or (held.is_temporal() and not dtype.is_temporal()):
        return None
    return _to_time(values, dtype) if dtype.is_temporal() else _to_number(values, dtype)


def _to_list(values: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    if values.dtype == pl.String:
        bare = values.str.strip_chars().str.to_lowercase()
        # "none" and a blank are lists of nothing, whereas what is unknown may be anything
        return text_lists(values.set(bare == "none", "").set(bare.is_in(_UNKNOWN) & ~bare.is_in(("", "none")), None))
    held = values.dtype
    flat = isinstance(held, pl.List | pl.Array) and not cast(pl.DataType, held.inner).is_nested()
    return values.cast(dtype, strict=False) if flat else None


def _to_time(values: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    held = values.dtype
    if held == pl.String:
        return parse_times(values).cast(dtype)
    if isinstance(held, pl.Datetime):
        plain = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if held.time_zone else values
        return plain.cast(TIME).cast(dtype)
    # whole numbers could be days, seconds or milliseconds since some year
    return values.cast(dtype) if held == pl.Date else None


def _to_number(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        values = values.str.strip_chars().str.to_lowercase().replace(_TRUTHS).cast(pl.Float64, strict=False)
    if dtype == pl.Boolean:
        return values.cast(pl.Float64).replace_strict({0.0: False, 1.0: True}, default=None, return_dtype=pl.Boolean)
    if dtype.is_integer() and values.dtype.is_float():
        return values.set(values != values.floor(), None).cast(dtype, strict=False)
    return values.cast(dtype, strict=False)


def _short(value: object) -> str:
    return f"{value!r:.120}".replace("\n", " ")

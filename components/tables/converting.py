"""Values in a column's type, null where one can't be read exactly."""

from typing import cast

import polars as pl

from components.tables.schema import TEXTS, TIME, Column
from components.tables.text_lists import text_lists

EXACT = 2**53
"""Up to this size, exclusive, floats tell all whole numbers apart."""
_UNKNOWN = ("", "nan", "nat", "n/a", "na", "<na>", "null", "none", "-")
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
_JSON = r"^\s*(\{\s*\"|\[\s*[\"{\[\]])"
"""A list or an object as JSON text."""
_ZONED_FORMATS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")


def wanted(column: Column) -> str:
    """What a column's cells are, in words for messages.

    >>> wanted(Column(name="quality", dtype=pl.Float64()))
    'a number'
    """
    return _WANTED[column.dtype]


def unknown_cells(values: pl.Series, column: Column) -> pl.Series:
    """Which cells say nothing: nulls, and in columns of numbers, times and lists that may be empty texts like 'n/a'."""
    unknown = values.is_null()
    if values.dtype == pl.String and column.dtype != pl.String and column.nullable:
        unknown |= values.str.strip_chars().str.to_lowercase().is_in(_UNKNOWN)
    return unknown


def parse_times(text: pl.Series) -> pl.Series:
    """ISO 8601 dates and times, with or without a zone, as UTC without one; null where a text is none.

    >>> parse_times(pl.Series(["2025-03-01T10:00:00Z", "2025-03-01 10:00:00+02:00", "2025-03-01", "May"])).to_list()[1:]
    [datetime.datetime(2025, 3, 1, 8, 0), datetime.datetime(2025, 3, 1, 0, 0), None]
    """
    plain = (
        text.str.strip_chars().str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(r"[Zz]$|( UTC)$", "+0000")
    )
    found = pl.Series(text.name, [None] * len(text), dtype=TIME)
    # most columns are of one format, so the others are tried on what it leaves
    for form in (*_ZONED_FORMATS, *_TIME_FORMATS, "%Y-%m-%d"):
        left = found.is_null() & plain.is_not_null()
        if not left.any():
            break
        read = _read_times(plain.set(~left, None), form)
        found = read.zip_with(left, found)
    return found.alias(text.name)


def _read_times(text: pl.Series, form: str) -> pl.Series:
    if form == "%Y-%m-%d":
        return text.str.to_date(form, strict=False).cast(TIME)
    read = text.str.to_datetime(form, time_unit="us", strict=False)
    return read.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if form in _ZONED_FORMATS else read


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


def converted(values: pl.Series, column: Column) -> pl.Series | None:
    """The values in a column's type, null where one can't be read; None: no value of their type ever can.

    Raises:
        polars.exceptions.PolarsError: as None.
    """
    if column.maximum == 1:
        values = _as_share(values)
    held, dtype = values.dtype, column.dtype
    if dtype == pl.String:
        return _to_text(values)
    if isinstance(dtype, pl.List):
        return _to_list(values, dtype)
    if held.is_nested() or (held.is_temporal() and not dtype.is_temporal()):
        return None
    return _to_time(values, dtype) if dtype.is_temporal() else _to_number(values, dtype)


def _to_text(values: pl.Series) -> pl.Series | None:
    """Whole numbers as text; pandas makes floats of ids where one is missing, warehouses decimals."""
    held = values.dtype
    if held == pl.String:
        # a list or an object as JSON text is nobody's name
        return values.set(values.str.contains(_JSON), None)
    if held.is_float():
        whole = (values == values.floor()) & (values.abs() < EXACT)
        return values.set(~whole, None).cast(pl.Int64).cast(pl.String)
    if held.is_decimal():
        return _whole(values).cast(pl.Decimal(38, 0)).cast(pl.String)
    return values.cast(pl.String) if held.is_integer() else None


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
        times = parse_times(values)
        if dtype != pl.Date:
            return times.cast(dtype)
        # the day is the one that is written, wherever the zone is
        day = values.str.extract(r"^\s*(\d+-\d+-\d+)").str.to_date("%Y-%m-%d", strict=False)
        return day.set(times.is_null(), None)
    if isinstance(held, pl.Datetime):
        if held.time_zone and dtype != pl.Date:
            values = values.dt.convert_time_zone("UTC")
        return values.dt.replace_time_zone(None).cast(TIME).cast(dtype)
    # whole numbers could be days, seconds or milliseconds since some year
    return values.cast(dtype) if held == pl.Date else None


def _to_number(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        values = values.str.strip_chars().str.to_lowercase().replace(_TRUTHS).cast(pl.Float64, strict=False)
    if dtype == pl.Boolean:
        return values.cast(pl.Float64).replace_strict({0.0: False, 1.0: True}, default=None, return_dtype=pl.Boolean)
    if dtype.is_integer() and (values.dtype.is_float() or values.dtype.is_decimal()):
        values = _whole(values)
    return values.cast(dtype, strict=False)


def _whole(values: pl.Series) -> pl.Series:
    return values.set(values != values.floor(), None)

"""The rules of a Great Expectations suite counted on whole tables by polars, which is quick where pandas is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How a rule fares on a whole table."""

    passed: bool
    checked: int
    """Rows; 1 for a rule on the table as a whole."""
    failed: int
    first: tuple[dict[str, Any], ...] = ()
    """The column's value, row and key of the first rows that break it."""
    found: int | None = None
    """Of a rule on the table as a whole: rows, or distinct values."""


def counted(frame: pl.DataFrame, rule: Any, key: Sequence[str], most: int) -> Counted | None:
    """The rule's count on all rows; None: it is about the table's columns, and any part of the table tells.

    Args:
        frame: the table, with its row numbers as `row`.
        rule: an expectation of the suite.
        key: columns that name a row.
        most: rows of those that break it to return.
    """
    found = _size(frame, rule)
    if found is not None:
        passed = found >= rule.min_value
        return Counted(passed=passed, checked=1, failed=int(not passed), found=found)
    breaking = _breaking(frame, rule)
    if breaking is None:
        return None
    broken = frame.filter(breaking)
    failed, known = broken.height, frame.height
    allowed = 1 - getattr(rule, "mostly", 1)
    columns = list(dict.fromkeys([_columns(rule)[0], "row", *key]))
    return Counted(
        passed=failed <= allowed * known,
        checked=frame.height,
        failed=failed,
        first=tuple(broken.head(most).select(columns).to_dicts()),
    )


def _size(frame: pl.DataFrame, rule: Any) -> int | None:
    match type(rule).__name__:
        case "ExpectTableRowCountToBeBetween":
            return frame.height
        case "ExpectColumnUniqueValueCountToBeBetween":
            return int(frame[str(rule.column)].drop_nulls().n_unique())
        case _:
            return None


def _breaking(frame: pl.DataFrame, rule: Any) -> pl.Expr | None:
    """Whether a row breaks the rule; what is null breaks only the rule against it."""
    columns = _columns(rule)
    column = pl.col(columns[0]) if columns else pl.lit(None)
    match type(rule).__name__:
        case "ExpectColumnValuesToNotBeNull":
            null = column.is_null()
            return null | column.is_nan() if frame.schema[columns[0]].is_float() else null
        case "ExpectColumnValuesToMatchRegex":
            breaks = ~column.str.contains(rule.regex)
        case "ExpectColumnValuesToBeInSet":
            breaks = ~column.is_in(rule.value_set)
        case "ExpectColumnValuesToBeUnique" | "ExpectCompoundColumnsToBeUnique":
            breaks = pl.struct(columns).is_duplicated() & column.is_not_null()
        case "ExpectColumnValuesToBeBetween":
            breaks = pl.lit(False)
            if rule.min_value is not None:
                breaks = breaks | ((column <= rule.min_value) if rule.strict_min else (column < rule.min_value))
            if rule.max_value is not None:
                breaks = breaks | (column > rule.max_value)
        case _:
            return None
    return breaks.fill_null(False)


def _columns(rule: Any) -> list[str]:
    named = getattr(rule, "column_list", None) or [getattr(rule, "column", None)]
    return [str(name) for name in named if name is not None]

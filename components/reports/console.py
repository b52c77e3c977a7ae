"""The evaluation as a text table for terminals."""

from collections.abc import Mapping, Sequence
from typing import Any

UNKNOWN = "–"
_FIRST = ("router", "best_single", "knn100", "kmeans60", "oracle")


def method_order(methods: Mapping[str, Any]) -> list[str]:
    """The router and its yardsticks first, then the others from best to worst quality."""
    first = [name for name in _FIRST if name in methods]
    return first + sorted(set(methods) - set(first), key=lambda name: (-methods[name]["quality"][0], name))


def interval_text(interval: list[float] | None, digits: int = 3) -> str:
    """A mean with its interval; a dash where nothing is known.

    >>> interval_text([0.5, 0.4, 0.6])
    '0.500 [0.400, 0.600]'
    """
    if interval is None:
        return UNKNOWN
    mean, low, high = (f"{value:z.{digits}f}" for value in interval)
    return f"{mean} [{low}, {high}]"


def number_text(value: float | None, digits: int = 3) -> str:
    """A number, never a negative zero, or a dash where it isn't known.

    >>> number_text(-0.0001)
    '0.000'
    """
    return UNKNOWN if value is None else f"{value:z.{digits}f}"


def without_empty(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """A table, its head first, without the columns in which nothing is known of anybody.

    >>> without_empty([("method", "USD"), ("router", "–"), ("oracle", "–")])
    [('method',), ('router',), ('oracle',)]
    """
    kept = [column for column in range(len(rows[0])) if {row[column] for row in rows[1:]} != {UNKNOWN}]
    return [tuple(row[column] for column in kept) for row in rows]


def method_table(report: Mapping[str, Any]) -> str:
    """One aligned line a method: quality with interval, USD per 1000 prompts, regret, AIQ."""
    methods = report["methods"]
    rows: list[Sequence[str]] = [["method", "quality [95 %]", "USD per 1000", "regret", "AIQ"]]
    for name in method_order(methods):
        score = methods[name]
        cost = score.get("cost_usd_per_1000")
        rows.append(
            [
                name,
                interval_text(score["quality"]),
                number_text(cost[0] if cost else None),
                number_text(score["regret"]),
                number_text(score.get("aiq")),
            ]
        )
    rows = without_empty(rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

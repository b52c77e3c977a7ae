"""What Langfuse writes as observations, scores and traces: one spelling of names, and whatever is nested opened."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.sources.fields import decoded, objects
from components.sources.files import Record, records, suffix_of, whole_text
from components.tables.errors import TableError

_OF_TABLES = ("trace_name", "trace_tags", "comments")
"""Fields that rows of the tables' exports alone have."""
_OWN_LISTS = frozenset(
    {"input", "output", "metadata", "tags", "trace_tags", "user_tags", "comments"}
    | {"tool_calls", "tool_call_names", "tool_definitions"}
)
"""Langfuse's own fields that hold lists; any other list in a table's export are scores."""
csv.field_size_limit(2**31 - 1)


def langfuse_records(path: Path, metric: str | None) -> Iterator[Record]:
    """Observations, scores and traces of a file, by names as blob storage writes them (`trace_id`, not `traceId`).

    Traces are opened into their observations and scores, and rows of the tables' exports into the observation and a
    score for each value of the columns that hold scores.

    Args:
        path: JSON as `records` reads it, or csv with a header.
        metric: a column of this name holds scores, in whatever form.

    Raises:
        TableError: unreadable.
    """
    return _opened(_of_csv(path) if suffix_of(path) == ".csv" else records(path), metric)


def is_score(row: Mapping[str, Any]) -> bool:
    """Whether a record is somebody's score of an observation or a trace."""
    return (
        "name" in row and ("value" in row or "string_value" in row) and ("trace_id" in row or "observation_id" in row)
    )


def is_generation(row: Mapping[str, Any]) -> bool:
    """Whether a record is a call to a model."""
    kind = row.get("type")
    return kind == "GENERATION" or (kind is None and "trace_id" in row and "input" in row and not is_score(row))


def _of_csv(path: Path) -> Iterator[Record]:
    """Rows by the header's names; empty cells are absent, and lists and objects stand in cells as JSON."""
    reader = csv.DictReader(io.StringIO(whole_text(path), newline=""))
    try:
        for row in reader:
            shifted = None in row or None in row.values()
            content = {name: decoded(cell) for name, cell in row.items() if cell} if not shifted else len(row)
            error = "more or fewer cells than columns: the row is shifted" if shifted else None
            yield Record(path=path, number=reader.line_num, content=content, error=error)
    except csv.Error as error:
        raise TableError(f"{path}: can't be read as csv: line {reader.line_num}: {error}") from error


def _opened(rows: Iterator[Record], metric: str | None) -> Iterator[Record]:
    for row in rows:
        if row.error is not None:
            yield row
            continue
        content = {_snake(name): value for name, value in row.content.items()}
        inner = [(name, one) for name in ("observations", "scores", "traces") for one in objects(content.get(name))]
        yield Record(path=row.path, number=row.number, content=content)
        parts = [_inside(one, name, content) for name, one in inner]
        if is_generation(content) and any(name in content for name in _OF_TABLES):
            parts += _in_columns(row.content, content, metric)
        if parts:
            yield from _opened((Record(path=row.path, number=row.number, content=part) for part in parts), metric)


def _inside(one: Mapping[str, Any], name: str, outer: Mapping[str, Any]) -> dict[str, Any]:
    trace = {} if name == "traces" else {"trace_id": outer.get("trace_id", outer.get("id"))}
    known = {_snake(key) for key in one}
    return {**one, **{key: value for key, value in trace.items() if key not in known}}


def _in_columns(row: Mapping[str, Any], content: Mapping[str, Any], metric: str | None) -> Iterator[dict[str, Any]]:
    """Scores of a table's row: a column for each name, with a list of values, numbers or categories."""
    of = {"trace_id": content.get("trace_id"), "observation_id": content.get("id")}
    for name, found in row.items():
        values = found if isinstance(found, list) else [found] if name == metric and found is not None else []
        if _snake(name) in _OWN_LISTS or not all(isinstance(value, str | int | float) for value in values):
            continue
        for value in values:
            yield {"name": name, ("string_value" if isinstance(value, str) else "value"): value, **of}


def _snake(name: str) -> str:
    """`calculatedTotalCost` is `calculated_total_cost`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

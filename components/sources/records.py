"""What every log adapter needs: lines with their numbers, ids for prompts, candidates' prices, rows into tables."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS
from components.tables.store import TableError, Tables, find_table, read_table

Row = Mapping[str, Any]


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number (from 1) and object of each line that isn't blank.

    Raises:
        TableError: no such file; a line that isn't UTF-8 or isn't a JSON object.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise TableError(f"{path}: can't be read: {error.strerror}") from error
    with file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line.decode("utf-8"))
            except (UnicodeDecodeError, json.JSONDecodeError) as error:
                raise TableError(f"{path}, line {number}: not a line of JSON: {error}") from error
            if not isinstance(record, dict):
                raise TableError(f"{path}, line {number}: must be a JSON object, is {type(record).__name__}")
            yield number, record


def text_of(record: Row, name: str, where: str) -> str:
    """A field that must hold text.

    Raises:
        TableError: the field is absent, blank or not text; the message starts with `where`.
    """
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise TableError(f"{where}: '{name}' must be text that isn't blank, is {value!r:.80}")
    return value


def number_of(record: Row, name: str, where: str, *, maximum: float = float("inf")) -> float:
    """A field that must hold a number in [0, maximum], as a number or as text.

    Raises:
        TableError: the field is absent, no number, or out of range; the message starts with `where`.
    """
    value = record.get(name)
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise TableError(f"{where}: '{name}' must be a number, is {value!r:.80}") from error
    if not 0 <= number <= maximum or number == float("inf"):
        raise TableError(f"{where}: '{name}' must lie in [0, {maximum:g}], is {value!r:.80}")
    return number


def prompt_id(benchmark: str, prompt: str) -> str:
    """An id from the content, the same in every import of the same prompt."""
    return f"{benchmark}/{hashlib.sha256(prompt.encode()).hexdigest()[:16]}"


def candidates_beside(path: Path, models: Sequence[str]) -> pl.DataFrame:
    """The candidates table that lies beside a log without prices, cut to the models of the log.

    Raises:
        TableError: there is none, or it lacks one of the models.
    """
    try:
        found = find_table(path.parent, CANDIDATES)
    except TableError as error:
        raise TableError(f"{path} holds no prices, so they must lie beside it: {error}") from error
    candidates = read_table(found, CANDIDATES)
    missing = sorted(set(models) - set(candidates["model"]))
    if missing:
        raise TableError(f"{found}: no price for model(s) {missing} of {path}")
    return candidates.filter(pl.col("model").is_in(list(models)))


def to_tables(path: Path, prompts: Sequence[Row], outcomes: Sequence[Row], candidates: pl.DataFrame) -> Tables:
    """Tables of the schema's types from rows; absent optional columns become nulls.

    Raises:
        TableError: the log held no outcome.
    """
    if not outcomes:
        raise TableError(f"{path}: holds no outcome")
    return Tables(
        prompts=pl.DataFrame(list(prompts), schema=PROMPTS.dtypes),
        candidates=candidates,
        outcomes=pl.DataFrame(list(outcomes), schema=OUTCOMES.dtypes),
    )

"""What a folder of logs has to grade from: answers, votes and feedback; messages name file and row."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from components.grading.feedback import read_stars, retries, thumb
from components.grading.kinds import of_known, unknown_said
from components.tables.errors import TableError
from components.tables.store import Tables

_SUFFIXES = (".parquet", ".jsonl", ".csv")
VOTES = ("preferences", "votes")
FEEDBACK = ("feedback",)
_POINTS = {"a": 1.0, "b": 0.0, "tie": 0.5, "model_a": 1.0, "model_b": 0.0, "both": 0.5, "tie (bothbad)": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What users said of answers."""

    parts: tuple[tuple[str, pl.DataFrame], ...]
    """A grader, and its prompt_id, model and grade."""
    notices: tuple[str, ...]
    """What was left out, each with a count."""


def answers_of(tables: Tables, folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """prompt_id, model, prompt, response, reference of every known answer whose text is kept, and what was left out.

    Raises:
        TableError: no text is kept, or none of a prompt and a candidate in the tables.
    """
    if tables.responses is None or tables.responses.is_empty():
        raise TableError(
            f"{folder}: there is no table 'responses' (prompt_id, model, response), so there is no answer to grade: "
            "bring it along, or buy answers with `pointsman collect`"
        )
    notices = unknown_said(tables.responses, tables, "answers")
    known = of_known(tables.responses, tables)
    if known.is_empty():
        raise TableError(f"{folder}: table 'responses': all {notices[0]}")
    prompts = tables.prompts.select("prompt_id", "prompt", "reference")
    return known.join(prompts, on="prompt_id", how="inner", maintain_order="left"), notices


def votes_of(folder: Path) -> pl.DataFrame:
    """prompt_id, model_a, model_b, points (of model_a) of the folder's votes.

    Raises:
        TableError: no file, a column missing, or a winner that is neither of the two nor a tie.
    """
    path, frame = _read(folder, VOTES, ("prompt_id", "model_a", "model_b", "winner"))
    winner = pl.col("winner").cast(pl.String).str.strip_chars()
    frame = frame.with_columns(
        pl.when(winner == pl.col("model_a"))
        .then(1.0)
        .when(winner == pl.col("model_b"))
        .then(0.0)
        .otherwise(winner.str.to_lowercase().replace_strict(_POINTS, default=None, return_dtype=pl.Float64))
        .alias("points")
    )
    for rule, wrong in (
        ("winner must be a, b, tie or one of the two models", frame["points"].is_null()),
        ("model_a and model_b are the same", (frame["model_a"] == frame["model_b"]).fill_null(True)),
    ):
        if wrong.any():
            row = int(wrong.arg_true()[0])
            raise TableError(f"{path}: row {row}: {rule}, is {frame['winner'][row]!r}")
    return frame.select(pl.col("prompt_id").cast(pl.String), "model_a", "model_b", "points")


def feedback_of(tables: Tables, folder: Path) -> Feedback:
    """Thumbs, stars and retries; several of one kind on an answer are averaged.

    What an import of decisions told of thumbs is in the table `grades` already.

    Raises:
        TableError: there is none of them, there or here, or a row isn't of its kind.
    """
    found: list[tuple[str, pl.DataFrame]] = []
    notices: list[str] = []
    if _find(folder, FEEDBACK):
        path, frame = _read(folder, FEEDBACK, ())
        frame, notices = _with_cells(frame, tables, path)
        readers: dict[str, Callable[[Any], float | None]] = {"thumb": thumb, "stars": read_stars}
        for name, read in readers.items():
            if name in frame.columns:
                given = frame.drop_nulls(name)
                try:
                    grades = [read(value) for value in given[name]]
                except ValueError as error:
                    raise TableError(f"{path}: {error}") from error
                notices += _unread(name, given[name].to_list(), grades)
                part = given.select("prompt_id", "model", pl.Series("grade", grades, dtype=pl.Float64)).drop_nulls()
                found.append((f"feedback:{name}", part.group_by("prompt_id", "model").agg(pl.col("grade").mean())))
    prompts = tables.prompts.select("prompt_id", "prompt", "conversation_id")
    asked = tables.outcomes.select("prompt_id", "model", "decided_at").join(prompts, on="prompt_id")
    again = retries(asked)
    if again.height:
        found.append(("feedback:retry", again.unique(["prompt_id", "model"])))
    there = tables.grades is not None and "feedback" in tables.grades["kind"]
    if not there and not sum(part.height for _, part in found):
        raise TableError(
            f"{folder}: no feedback: a table 'feedback' has prompt_id and model, or decision_id, and thumb (up, down) "
            "or stars (1 to 5); retries are seen where prompts have conversation_id and outcomes decided_at"
            + "".join(f"; {notice}" for notice in notices)
        )
    return Feedback(parts=tuple(found), notices=tuple(notices))


def _unread(name: str, values: list[Any], grades: list[float | None]) -> list[str]:
    """A line that counts the values that are no thumb or no stars; a blank one is none at all."""
    unread = [str(v) for v, grade in zip(values, grades, strict=True) if grade is None and str(v).strip()]
    if not unread:
        return []
    shown = ", ".join(repr(value[:40]) for value in sorted(set(unread))[:3])
    return [f"{len(unread)} values of {name!r} can't be read and are left out: {shown}"]


def _with_cells(frame: pl.DataFrame, tables: Tables, path: Path) -> tuple[pl.DataFrame, list[str]]:
    if {"prompt_id", "model"} <= set(frame.columns):
        return frame.with_columns(pl.col("prompt_id", "model").cast(pl.String)), []
    if "decision_id" not in frame.columns:
        raise TableError(f"{path}: needs the columns prompt_id and model, or decision_id; found {frame.columns}")
    known = tables.outcomes.select("decision_id", "prompt_id", "model").drop_nulls("decision_id")
    # a decision's prompt and model are those of its outcome
    frame = frame.drop("prompt_id", "model", strict=False).with_columns(pl.col("decision_id").cast(pl.String))
    joined = frame.join(known, on="decision_id")
    left = frame.join(known, on="decision_id", how="anti").height
    return joined, [f"{left} rows of {path.name} are left out, for no outcome has their decision_id"] if left else []


def _find(folder: Path, stems: tuple[str, ...]) -> Path | None:
    paths = [folder / (stem + suffix) for stem in stems for suffix in _SUFFIXES]
    return next((path for path in paths if path.is_file()), None)


def _read(folder: Path, stems: tuple[str, ...], columns: tuple[str, ...]) -> tuple[Path, pl.DataFrame]:
    path = _find(folder, stems)
    if path is None:
        names = ", ".join(stem + suffix for stem in stems for suffix in _SUFFIXES)
        raise TableError(f"{folder}: there is no {names}")
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".jsonl": pl.read_ndjson,
        ".csv": pl.read_csv,
    }
    try:
        frame = readers[path.suffix](path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: {error}") from error
    if missing := [name for name in columns if name not in frame.columns]:
        raise TableError(f"{path}: missing column(s) {missing}; found {frame.columns}")
    return path, frame

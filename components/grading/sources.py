"""What a folder of logs has to grade from: answers, votes and feedback; messages name file and row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from components.grading.feedback import retries, stars, thumb
from components.tables.errors import TableError
from components.tables.store import Tables

_SUFFIXES = (".parquet", ".jsonl", ".csv")
VOTES = ("preferences", "votes")
FEEDBACK = ("feedback",)
_POINTS = {"a": 1.0, "b": 0.0, "tie": 0.5, "model_a": 1.0, "model_b": 0.0, "both": 0.5, "tie (bothbad)": 0.5}


def answers_of(tables: Tables, folder: Path) -> pl.DataFrame:
    """prompt_id, model, prompt, response, reference of every answer whose text is kept.

    Raises:
        TableError: no text is kept.
    """
    if tables.responses is None or tables.responses.is_empty():
        raise TableError(
            f"{folder}: there is no table 'responses' (prompt_id, model, response), so there is no answer to grade: "
            "bring it along, or buy answers with `pointsman collect`"
        )
    prompts = tables.prompts.select("prompt_id", "prompt", "reference")
    joined = tables.responses.join(prompts, on="prompt_id", how="inner", maintain_order="left")
    if joined.is_empty():
        raise TableError(f"{folder}: no prompt_id of the table 'responses' is in the table 'prompts'")
    return joined


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


def feedback_of(tables: Tables, folder: Path) -> list[tuple[str, pl.DataFrame]]:
    """(grader, prompt_id/model/grade) of thumbs, stars and retries; several of one kind on an answer are averaged.

    What an import of decisions told of thumbs is in the table `grades` already.

    Raises:
        TableError: there is none of them, there or here, or a row isn't of its kind.
    """
    found = []
    if _find(folder, FEEDBACK):
        path, frame = _read(folder, FEEDBACK, ())
        frame = _with_cells(frame, tables, path)
        readers: dict[str, Callable[[Any], float | None]] = {"thumb": thumb, "stars": stars}
        for name, read in readers.items():
            if name in frame.columns:
                given = frame.drop_nulls(name)
                try:
                    grades = [read(value) for value in given[name]]
                except (ValueError, TypeError) as error:
                    raise TableError(f"{path}: {error}") from error
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
        )
    return found


def _with_cells(frame: pl.DataFrame, tables: Tables, path: Path) -> pl.DataFrame:
    if {"prompt_id", "model"} <= set(frame.columns):
        return frame.with_columns(pl.col("prompt_id").cast(pl.String))
    if "decision_id" not in frame.columns:
        raise TableError(f"{path}: needs the columns prompt_id and model, or decision_id; found {frame.columns}")
    known = tables.outcomes.select("decision_id", "prompt_id", "model").drop_nulls("decision_id")
    return frame.with_columns(pl.col("decision_id").cast(pl.String)).join(known, on="decision_id")


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

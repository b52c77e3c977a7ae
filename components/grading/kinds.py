"""The columns of grades, and how grades come into their table."""

from datetime import UTC, datetime
from typing import Literal

import polars as pl

from components.tables.schema import GRADES
from components.tables.store import Tables

Kind = Literal["person", "reference", "judge", "feedback", "preference"]


def grade_frame(frame: pl.DataFrame, grader: str, kind: Kind, at: datetime | None = None) -> pl.DataFrame:
    """Grades with the table's columns from `prompt_id`, `model` and `grade`.

    Args:
        frame: with those three columns; rows whose grade is null are left out.
        grader: who graded, such as 'reference' or 'judge:gpt-4.1-mini'.
        kind: how far the grader is trusted.
        at: when, UTC without a zone; None: now.

    Raises:
        ValueError: a grade outside [0, 1].
    """
    graded = frame.filter(pl.col("grade").is_not_null() & pl.col("grade").is_not_nan())
    wrong = graded.filter(~pl.col("grade").is_between(0, 1))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise ValueError(f"grade of {row['model']} on {row['prompt_id']} must be in [0, 1], is {row['grade']}")
    return graded.select(
        "prompt_id",
        "model",
        pl.lit(grader).alias("grader"),
        pl.lit(kind).alias("kind"),
        "grade",
        pl.lit(at or datetime.now(UTC).replace(tzinfo=None)).alias("graded_at"),
    ).cast(GRADES.dtypes)  # type: ignore[arg-type]


def no_grades() -> pl.DataFrame:
    """The empty table."""
    return pl.DataFrame(schema=GRADES.dtypes)


def of_known(rows: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """The rows whose prompt and candidate are in the tables, in their order.

    Args:
        rows: with prompt_id and model.
        tables: with both.
    """
    known = rows.join(tables.prompts, on="prompt_id", how="semi", maintain_order="left")
    return known.join(tables.candidates, on="model", how="semi", maintain_order="left")


def unknown_said(rows: pl.DataFrame, tables: Tables, what: str) -> list[str]:
    """A line that counts the rows which `of_known` leaves out and shows the first; none where there are none.

    Args:
        rows: with prompt_id and model.
        tables: with both.
        what: they are, in the plural.
    """
    known = of_known(rows, tables).select("prompt_id", "model").unique()
    left = rows.join(known, on=["prompt_id", "model"], how="anti", maintain_order="left")
    if left.is_empty():
        return []
    first = left.row(0, named=True)
    return [
        f"{left.height} {what} are left out, whose prompt or model isn't in the tables 'prompts' and 'candidates'; "
        f"the first: prompt {first['prompt_id']!r}, model {first['model']!r}"
    ]


def add_grades(old: pl.DataFrame | None, new: pl.DataFrame) -> pl.DataFrame:
    """Both; a grader's later word on the same answer takes the place of the earlier one."""
    both = new if old is None else pl.concat([old, new])
    return both.unique(list(GRADES.key), keep="last", maintain_order=True)

"""The columns of grades, and how grades come into their table."""

from datetime import UTC, datetime
from typing import Literal

import polars as pl

from components.tables.schema import GRADES

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


def add_grades(old: pl.DataFrame | None, new: pl.DataFrame) -> pl.DataFrame:
    """Both; a grader's later word on the same answer takes the place of the earlier one."""
    both = new if old is None else pl.concat([old, new])
    return both.unique(list(GRADES.key), keep="last", maintain_order=True)

"""The words of grading: kinds of graders in their order of trust, and the columns of grades."""

from datetime import UTC, datetime
from typing import Literal, get_args

import polars as pl

Kind = Literal["person", "reference", "judge", "feedback", "preference"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Most trusted first."""
GRADE_COLUMNS: dict[str, pl.DataType] = {
    "prompt_id": pl.String(),
    "model": pl.String(),
    "grader": pl.String(),
    "kind": pl.String(),
    "grade": pl.Float64(),
    "graded_at": pl.Datetime("us", "UTC"),
}
"""The table `grades`: one grader's word on one answer; (prompt_id, model, grader) is unique."""


def grade_frame(frame: pl.DataFrame, grader: str, kind: Kind, at: datetime | None = None) -> pl.DataFrame:
    """Grades with the table's columns from `prompt_id`, `model` and `grade`.

    Args:
        frame: with those three columns; rows whose grade is null are left out.
        grader: who graded, such as 'reference:numeric' or 'judge:gpt-4.1-mini'.
        kind: how far the grader is trusted.
        at: when; None: now.

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
        pl.lit(at or datetime.now(UTC)).alias("graded_at"),
    ).cast(GRADE_COLUMNS)  # type: ignore[arg-type]


def no_grades() -> pl.DataFrame:
    """The empty table."""
    return pl.DataFrame(schema=GRADE_COLUMNS)


def add_grades(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Both; a grader's later word on the same answer takes the place of the earlier one."""
    both = pl.concat([old.select(list(GRADE_COLUMNS)).cast(GRADE_COLUMNS), new])  # type: ignore[arg-type]
    return both.unique(["prompt_id", "model", "grader"], keep="last", maintain_order=True)

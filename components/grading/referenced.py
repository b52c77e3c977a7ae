"""Answers of a folder graded by references, with what the reader should know of the checks."""

from pathlib import Path

import polars as pl

from components.grading.believed import FEWEST_EQUAL
from components.grading.kinds import grade_frame
from components.grading.reference import MOST_WORDS, grade_by_reference
from components.grading.sources import answers_of
from components.tables.errors import TableError
from components.tables.store import Tables


def grade_references(tables: Tables, folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Grades of the folder's answers by the right ones in its prompts, and what the reader should know of them.

    Args:
        tables: of the folder.
        folder: to name in messages.

    Raises:
        TableError: no answer has a reference, or one can't be checked by.
    """
    answers, notices = answers_of(tables, folder)
    known = answers.filter(pl.col("reference").str.strip_chars().str.len_chars() > 0)
    if known.is_empty():
        raise TableError(
            f"{folder}: no prompt with an answer has a 'reference' (a right answer) in the table 'prompts'"
        )
    try:
        grades, checks = grade_by_reference(known["response"].to_list(), known["reference"].to_list())
    except ValueError as error:
        raise TableError(f"{folder}: table 'prompts': {error}") from error
    graded = known.with_columns(
        pl.Series("grade", grades, dtype=pl.Float64), pl.Series("check", checks, dtype=pl.String)
    )
    notices += _checks_said(graded.drop_nulls("check"))
    if longer := graded["check"].null_count():
        notices.append(
            f"{longer} answers have a reference of more than {MOST_WORDS} words, which an answer can say in others: "
            "they are left to a judge, who reads it (a prefix such as 'normalised:' names a check all the same)"
        )
    if left := answers.height - known.height:
        notices.append(f"{left} answers have no reference and are left to other graders")
    return grade_frame(graded, "reference", "reference"), notices


def _checks_said(graded: pl.DataFrame) -> list[str]:
    """How many answers each check graded, and which of them nothing passed."""
    counts = graded.group_by("check").agg(pl.len().alias("count"), pl.col("grade").max().alias("best"))
    counts = counts.sort(["count", "check"], descending=[True, False])
    shown = ", ".join(f"{count} {check.replace('_', ' ')}" for check, count, _ in counts.iter_rows())
    notices = [f"checks: {shown}"] if shown else []
    for check, count, best in counts.iter_rows():
        if best == 0 and count >= FEWEST_EQUAL:
            notices.append(
                f"none of {count} answers passed the check {check!r}: look at a few of them, for references that are "
                "written otherwise than answers say little of the answers; a prefix names another check"
            )
    return notices

"""What is believed of an answer's quality where only grades say something."""

import polars as pl

from components.tables.schema import GRADE_KINDS


def believed_quality(outcomes: pl.DataFrame, grades: pl.DataFrame | None) -> pl.DataFrame:
    """Outcomes with each null quality filled from the most trusted kind of grader that judged the answer.

    Several graders of that kind: their mean. `graded_by` then names them. A quality that is already there stays, for
    it is what a correction of the graders has made of them.

    Args:
        outcomes: the table of outcomes.
        grades: the table of grades; None: there is none.

    >>> grades = pl.DataFrame({"prompt_id": ["p", "p", "p"], "model": ["m"] * 3, "grader": ["gpt", "ann", "bob"],
    ...                        "kind": ["judge", "person", "person"], "grade": [0.9, 0.5, 0.25]})
    >>> outcomes = pl.DataFrame({"prompt_id": ["p", "q"], "model": ["m", "m"], "quality": [None, None],
    ...                          "graded_by": [None, None]}, schema_overrides={"quality": pl.Float64})
    >>> believed_quality(outcomes, grades).rows()
    [('p', 'm', 0.375, 'ann, bob'), ('q', 'm', None, None)]
    """
    if grades is None or grades.is_empty():
        return outcomes
    key = ["prompt_id", "model"]
    trust = pl.col("kind").replace_strict({kind: rank for rank, kind in enumerate(GRADE_KINDS)}, return_dtype=pl.Int8)
    believed = (
        grades.with_columns(trust=trust)
        .filter(pl.col("trust") == pl.col("trust").min().over(key))
        .group_by(key)
        .agg(believed=pl.col("grade").mean(), graders=pl.col("grader").unique().sort().str.join(", "))
    )
    filled = pl.col("quality").is_null() & pl.col("believed").is_not_null()
    return (
        outcomes.join(believed, on=key, how="left", maintain_order="left")
        .with_columns(
            quality=pl.coalesce("quality", "believed"),
            graded_by=pl.when(filled).then("graders").otherwise("graded_by"),
        )
        .drop("believed", "graders")
    )

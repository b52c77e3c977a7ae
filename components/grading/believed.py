"""Quality from grades: each answer's most trusted grade, the judge's corrected where better grades allow it."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.grading.correction import FEWEST, recalibrate
from components.grading.kinds import of_known
from components.tables.schema import GRADE_KINDS
from components.tables.store import Tables

_CELL = ["prompt_id", "model"]
FEWEST_EQUAL = 20
"""Answers that all have one grade tell nothing; fewer may do so by chance."""
_BETTER = ("person", "reference")
"""Kinds that a judge is corrected by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How one judge's grades compare with better ones of the same answers."""

    grader: str
    judged: int
    """Answers that it graded."""
    corrected: int
    """Those with a better grade."""
    bias: float
    """Its mean less the better grades', on those; nan where there are none."""
    correlation: float
    """Pearson's; nan where it can't be told."""
    used: bool
    """Whether it was recalibrated: it takes ten better grades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """What is believed of each graded answer."""

    quality: pl.DataFrame
    """prompt_id, model, quality in [0, 1], graded_by."""
    agreement: tuple[Agreement, ...]
    """One a judge."""


def believe(grades: pl.DataFrame, fewest: int = FEWEST) -> Believed:
    """Quality of each graded answer: by a person, else a reference, a judge, feedback or a preference.

    Several graders of one kind count alike. A judge's grades are first put on the scale of the better ones, candidate
    by candidate, where at least `fewest` answers have both. Nothing is believed of a judge that gives one grade to all.

    Args:
        grades: the table `grades`.
        fewest: better grades that a correction takes, >= 2.
    """
    corrected, agreement = grades.filter(pl.col("kind") != "judge"), []
    better = grades.filter(pl.col("kind").is_in(_BETTER)).group_by(_CELL).agg(pl.col("grade").mean().alias("better"))
    for grader, part in sorted(grades.filter(pl.col("kind") == "judge").group_by("grader"), key=lambda each: each[0]):
        fixed, measured = _correct_judge(part, better, str(grader[0]), fewest)
        agreement.append(measured)
        if equal_grades(part) is None:
            corrected = pl.concat([corrected, fixed])
    rank = pl.col("kind").replace_strict(
        {kind: number for number, kind in enumerate(GRADE_KINDS)}, return_dtype=pl.Int8
    )
    quality = (
        corrected.with_columns(rank.alias("rank"))
        .filter(pl.col("rank") == pl.col("rank").min().over(_CELL))
        .group_by(_CELL, maintain_order=True)
        .agg(
            pl.col("grade").mean().alias("quality"), pl.col("grader").unique().sort().str.join(", ").alias("graded_by")
        )
    )
    return Believed(quality=quality, agreement=tuple(agreement))


def equal_grades(grades: pl.DataFrame) -> float | None:
    """The one grade that a grader gives to everything, where it has given it to 20 answers or more; else None."""
    if grades.height >= FEWEST_EQUAL and grades["grade"].n_unique() == 1:
        return float(grades["grade"][0])
    return None


def fill_quality(tables: Tables, believed: pl.DataFrame, grades: pl.DataFrame) -> pl.DataFrame:
    """Outcomes with the believed quality where none was logged; a logged quality is never overwritten.

    A quality that grades gave earlier is theirs to renew: its `graded_by` names graders of the table. An answer without
    an outcome gets one where its prompt and candidate are in the tables: any other outcome would be a faulty row.

    Args:
        tables: with the outcomes.
        believed: prompt_id, model, quality, graded_by.
        grades: the table that it was derived from.
    """
    outcomes = tables.outcomes
    graders = grades["grader"].unique().to_list()
    # "judge:m" and "judge:m, corrected": what stands before the first comma is a grader
    derived = pl.col("graded_by").str.split(", ").list.first().is_in(graders)
    ours = pl.col("quality").is_null() | (derived & pl.col("quality").is_not_null()).fill_null(False)
    columns = outcomes.columns
    joined = outcomes.join(
        believed.select(*_CELL, pl.col("quality").alias("new"), pl.col("graded_by").alias("by")),
        on=_CELL,
        how="left",
        maintain_order="left",
    )
    take = ours & pl.col("new").is_not_null()
    filled = joined.with_columns(
        pl.when(take).then("new").otherwise("quality").alias("quality"),
        pl.when(take).then("by").otherwise("graded_by").alias("graded_by"),
    ).select(columns)
    # what was graded was answered
    added = of_known(believed, tables).join(outcomes, on=_CELL, how="anti").select(*_CELL, "quality", "graded_by")
    return pl.concat([filled, added.cast({"quality": pl.Float64})], how="diagonal").select(columns)


def _correct_judge(
    part: pl.DataFrame, better: pl.DataFrame, grader: str, fewest: int
) -> tuple[pl.DataFrame, Agreement]:
    joined = part.join(better, on=_CELL, how="left", maintain_order="left")
    both = joined.drop_nulls("better")
    bias = correlation = float("nan")
    if both.height:
        judge, truth = both["grade"].to_numpy(), both["better"].to_numpy()
        bias = float((judge - truth).mean())
        if both.height > 2 and judge.std() > 0 and truth.std() > 0:
            correlation = float(np.corrcoef(judge, truth)[0, 1])
    used = both.height >= max(fewest, 2)
    measured = Agreement(
        grader=grader, judged=part.height, corrected=both.height, bias=bias, correlation=correlation, used=used
    )
    if not used:
        return part, measured
    judge_NM, truth_NM, columns_K = _columns(joined)
    fitted = recalibrate(judge_NM, truth_NM)
    grade_K = np.clip(fitted.intercept_M[columns_K] + fitted.slope * joined["grade"].to_numpy(), 0.0, 1.0)
    fixed = part.with_columns(pl.Series("grade", grade_K), (pl.col("grader") + ", corrected").alias("grader"))
    return fixed, measured


def _columns(joined: pl.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Each answer in a row of its own, in its candidate's column."""
    models = joined["model"].unique().sort().to_list()
    columns_K = joined["model"].replace_strict(models, range(len(models)), return_dtype=pl.Int64).to_numpy()
    rows_K = np.arange(joined.height)
    judge_NM, truth_NM = np.full((2, joined.height, len(models)), np.nan)
    judge_NM[rows_K, columns_K] = joined["grade"].to_numpy()
    truth_NM[rows_K, columns_K] = joined["better"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return judge_NM, truth_NM, columns_K

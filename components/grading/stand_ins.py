"""Grades that choices are judged by where a judge graded and better graders corrected a random part of it.

Training reads a judge's recalibrated grades, which lie in [0, 1]. Their mean isn't the truth's: a line fitted on a
hundred corrections is off, and no interval of theirs knows. The gate and the report read stand-ins instead, whose means
and paired differences are the prediction-powered ones. Shapes: N prompts, M candidates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.grading.believed import equal_grades
from components.grading.correction import FEWEST, recalibrate
from components.tables.likeness import join_groups
from components.tables.store import Tables
from components.tables.units import dealt, units

Floats = NDArray[np.float64]
Better = Literal["person", "reference"]
_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StandIns:
    """What stands in for the quality of answers that a judge graded."""

    grade_NM: Floats
    """May leave [0, 1]; nan where no judge's grade counts."""
    corrected_NM: NDArray[np.bool_]
    """Answers whose better grade was used."""
    by: Better = "person"
    """Whose those are."""


def stand_ins(
    judges: Sequence[Floats],
    truth_NM: Floats,
    seed: int,
    fewest: int = FEWEST,
    group_N: NDArray[np.integer] | None = None,
) -> StandIns | None:
    """h + (y - h) / s on the share s of a candidate's judged answers that was corrected, h on the others.

    h is the judge's grade on the truth's scale, by lines fitted without the answer (cross-prediction-powered inference,
    Zrnic and Candes 2024, arXiv 2309.16598) and without those that belong with it: what a judge misses in one turn of
    a conversation it misses in the next, and corrected by that it would look better than it is. The mean over all
    answers is unbiased if the corrected ones are a random part, whatever the judge is worth, and the spread over
    prompts is what an interval needs to know.

    Args:
        judges: grades of each judge; nan where it gave none.
        truth_NM: better grades of a random part of the same answers; nan elsewhere.
        seed: of the folds.
        fewest: corrected answers below which a candidate's h are left as they are, >= 2.
        group_N: prompts that belong together, such as turns of a conversation; below 0: to nothing. None: all are
            independent.

    Returns:
        None where fewer than `fewest` answers were corrected in all.

    >>> judge, truth = np.full((8, 1), 0.9), np.array([[0.5]] * 4 + [[np.nan]] * 4)
    >>> round(float(stand_ins([judge], truth, 0, fewest=2).grade_NM.mean()), 3)
    0.5
    """
    unit_N = np.arange(len(truth_NM)) if group_N is None else units(group_N)
    fold_N = dealt(unit_N, _FOLDS, seed)
    judged = [judge_NM for judge_NM in judges if (np.isfinite(judge_NM) & np.isfinite(truth_NM)).any()]
    fitted = [_expected(judge_NM, truth_NM, fold_N) for judge_NM in judged]
    if not fitted:
        return None
    known_JNM = np.isfinite(np.stack(fitted))
    count_NM = known_JNM.sum(axis=0)
    expected_NM = np.where(known_JNM, np.stack(fitted), 0.0).sum(axis=0) / np.where(count_NM > 0, count_NM, np.nan)
    both_NM = np.isfinite(expected_NM) & np.isfinite(truth_NM)
    enough_M = both_NM.sum(axis=0) >= max(fewest, 2)
    if not enough_M.any():
        return None
    both_NM &= enough_M
    share_M = both_NM.sum(axis=0) / np.maximum(np.isfinite(expected_NM).sum(axis=0), 1)
    wrong_NM = np.where(both_NM, truth_NM - expected_NM, 0.0) / np.where(enough_M, share_M, 1.0)
    return StandIns(grade_NM=expected_NM + wrong_NM, corrected_NM=both_NM)


def corrections_to_halve(gap_N: Floats, part_N: Floats, corrected: int, judged: int) -> int | None:
    """How many more answers must be corrected to halve the interval of a mean difference; None: no number does.

    What corrections add to the variance falls with their number; what the judge's grades themselves vary by stays.

    Args:
        gap_N: paired differences of stand-ins, one a prompt.
        part_N: what corrections have added to each.
        corrected: answers corrected so far, >= 1.
        judged: answers that the judge graded, which no more corrections than that can be made of.

    >>> rng = np.random.default_rng(0)
    >>> part = np.where(np.arange(1000) < 100, 10 * rng.normal(0, 0.1, 1000), 0.0)
    >>> 280 < corrections_to_halve(part, part, 100, 1000) < 320
    True
    """
    floor = float((gap_N - part_N).var())
    added, left = max(float(gap_N.var()) - floor, 0.0), float(gap_N.var()) / 4 - floor
    if left <= 0:
        return None
    needed = int(np.ceil(corrected * added / left))
    return needed - corrected if needed <= judged else None


def stand_ins_of(tables: Tables, seed: int, group_N: NDArray[np.integer] | None = None) -> StandIns | None:
    """The same from the table `grades`, rows and columns in the order of prompts and candidates.

    People's grades are the better ones; without them those by reference. What was graded by reference while people
    corrected the judge is known, and no judge's grade counts there. Qualities that were logged stay as they are.

    Args:
        tables: with quality derived from the grades.
        seed: of the folds.
        group_N: prompts that belong together; below 0: to nothing. None: turns of one conversation, and no others.

    Returns:
        None without a judge, or without corrections.
    """
    grades = tables.grades
    if grades is None or "judge" not in grades["kind"]:
        return None
    shape = tables.prompts.height, tables.candidates.height
    derived_NM = np.isfinite(_matrix(_derived(tables), tables, shape))
    people_NM, checked_NM = (
        _matrix(grades.filter(pl.col("kind") == kind), tables, shape) for kind in ("person", "reference")
    )
    judges = []
    for _, part in sorted(grades.filter(pl.col("kind") == "judge").group_by("grader"), key=lambda each: each[0]):
        if equal_grades(part) is None:
            judge_NM = _matrix(part, tables, shape)
            judges.append(np.where(derived_NM, judge_NM, np.nan))
    if group_N is None:
        group_N = join_groups(np.arange(shape[0], dtype=np.int32), tables.prompts["conversation_id"])
    if np.isfinite(people_NM).sum() >= FEWEST:
        known_NM = np.isfinite(checked_NM) & np.isnan(people_NM)
        judges = [np.where(known_NM, np.nan, judge_NM) for judge_NM in judges]
        return stand_ins(judges, people_NM, seed, group_N=group_N)
    found = stand_ins(judges, checked_NM, seed, group_N=group_N)
    return None if found is None else replace(found, by="reference")


def _expected(judge_NM: Floats, truth_NM: Floats, fold_N: NDArray[np.intp]) -> Floats:
    """The judge's grades on the truth's scale, each by a line that didn't see its correction."""
    both_NM = np.isfinite(judge_NM) & np.isfinite(truth_NM)
    lines = []
    for fold in np.unique(fold_N):
        others_NM = np.where((fold_N == fold)[:, None], np.nan, truth_NM)
        # few corrections may all lie in one fold
        enough = (both_NM & np.isfinite(others_NM)).sum() >= 2
        lines.append(recalibrate(judge_NM, others_NM if enough else truth_NM))
    slope_F = np.array([line.slope for line in lines])
    intercept_FM = np.stack([line.intercept_M for line in lines])
    own_NM = intercept_FM[fold_N] + slope_F[fold_N, None] * judge_NM
    common_NM = intercept_FM.mean(axis=0) + slope_F.mean() * judge_NM
    return np.where(both_NM, own_NM, common_NM)


def _derived(tables: Tables) -> pl.DataFrame:
    """Outcomes whose quality came from grades, or that have none."""
    graders = tables.grades["grader"].unique().to_list() if tables.grades is not None else []
    first = pl.col("graded_by").str.split(", ").list.first()
    ours = tables.outcomes.filter(first.is_in(graders) | pl.col("quality").is_null())
    return ours.select("prompt_id", "model", pl.lit(1.0).alias("grade"))


def _matrix(grades: pl.DataFrame, tables: Tables, shape: tuple[int, int]) -> Floats:
    """Mean grade of each answer; nan where there is none."""
    rows = tables.prompts.select("prompt_id").with_row_index("row")
    columns = tables.candidates.select("model").with_row_index("column")
    mean = grades.group_by("prompt_id", "model").agg(pl.col("grade").mean())
    cells = mean.join(rows, on="prompt_id").join(columns, on="model")
    found_NM = np.full(shape, np.nan)
    found_NM[cells["row"].to_numpy(), cells["column"].to_numpy()] = cells["grade"].to_numpy()
    return found_NM

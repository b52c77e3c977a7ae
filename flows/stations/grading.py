"""Who graded a run's answers, how far that was corrected, and what would make the verdict surer."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.evaluation.off_policy.pseudo import cell_weights
from components.grading.believed import believe
from components.grading.stand_ins import corrections_to_halve, stand_ins_of
from components.learning.evidence import evidence_of
from components.reports.grading import grading_section
from components.tables.board import Board
from components.tables.store import read_tables
from flows.platform.references import DataRef


def grader_of(tables: DataRef) -> str | None:
    """Who gave most qualities, as the logs name them; None: they don't."""
    outcomes = read_tables(tables.path).outcomes
    if "graded_by" not in outcomes.columns:
        return None
    named = outcomes.drop_nulls("graded_by").group_by("graded_by").len().sort("len", "graded_by", descending=True)
    return ", ".join(named["graded_by"].cast(pl.String).head(3).to_list()) or None


def grading_of(
    tables: DataRef,
    board: Board,
    choice_N: NDArray[np.intp],
    single: int,
    gap_N: NDArray[np.float64],
    rows_N: NDArray[np.bool_],
    seed: int,
) -> dict[str, Any] | None:
    """`operating.grading` of the report; None where no judge graded.

    Args:
        tables: of the run.
        board: laid out from them.
        choice_N: column of the operating policy's choice.
        single: column of the best single candidate.
        gap_N: what choices are worth beyond it.
        rows_N: the prompts judged.
        seed: of the run.
    """
    frames = read_tables(tables.path)
    if frames.grades is None:
        return None
    found = stand_ins_of(frames, seed)
    if found is None:
        return grading_section(believe(frames.grades).agreement, 0, None, None)
    evidence = evidence_of(board, seed)
    inclusion_NM = np.where(board.observed_NM, np.maximum(evidence.inclusion_NM, 1e-6), 1.0)
    added_NM = cell_weights(board.observed_NM, inclusion_NM) * np.nan_to_num(board.worth_NM - board.quality_NM)
    rows_K = np.flatnonzero(rows_N)
    part_K = added_NM[rows_K, choice_N[rows_K]] - added_NM[rows_K, single]
    corrected, judged = int(found.corrected_NM.sum()), int(np.isfinite(found.grade_NM).sum())
    more = corrections_to_halve(gap_N[rows_K], part_K, corrected, judged)
    return grading_section(believe(frames.grades).agreement, corrected, found.by, more)

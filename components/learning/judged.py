"""What choices on prompts are worth: outcomes, or stand-ins where they weren't observed.

Shapes: N prompts, M candidates; K a choice of rows.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gate import Played
from components.learning.evidence import evidence_of, judged_outcomes, stand_in_variance
from components.learning.mixing import HeldOut
from components.tables.board import Board
from components.tables.groups import design_effect
from components.tables.sampling import evenly
from pointsman.model.clusters import ClusterTables

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What choices on N prompts are worth."""

    quality_NM: Floats
    """Outcomes or pseudo-outcomes; nan where nothing supports a choice."""
    cost_usd_NM: Floats
    """USD a call, observed, estimated or expected; nan where unknown."""
    variance_NM: Floats | None = None
    """Of each quality as a stand-in for an outcome, by how it was come by; None: the outcomes themselves."""
    group_N: NDArray[np.int32] | None = None
    """Prompts that belong together, such as turns of a conversation; None: all are independent."""

    def take(self, rows_K: Rows) -> "Judged":
        """The same of a choice of prompts."""
        return Judged(
            quality_NM=self.quality_NM[rows_K],
            cost_usd_NM=self.cost_usd_NM[rows_K],
            variance_NM=None if self.variance_NM is None else self.variance_NM[rows_K],
            group_N=None if self.group_N is None else self.group_N[rows_K],
        )

    def played(self, name: str, choice_N: NDArray[np.intp], group_N: NDArray[np.int32] | None) -> Played:
        """One choice a prompt as the gate reads it; -1: none, unknown.

        Args:
            name: of who chose, in words.
            choice_N: columns.
            group_N: prompts that belong together; None: all are independent.
        """
        got_N, paid_N = self.at(choice_N)
        variance_N = None
        if self.variance_NM is not None:
            variance_N = np.where(choice_N >= 0, self.variance_NM[np.arange(choice_N.size), choice_N], 0.0)
        cost_N = np.where(np.isnan(got_N), np.nan, paid_N)
        return Played(name=name, quality_N=got_N, cost_usd_N=cost_N, group_N=group_N, variance_N=variance_N)

    def least_error(self, choice_N: NDArray[np.integer], other: int) -> float:
        """Standard error of the mean difference to one candidate's quality, by groups and by the stand-ins' variance.

        The spread of a few heavily weighted outcomes alone can be small by luck.
        """
        gap_N = self.quality_NM[np.arange(choice_N.size), choice_N] - self.quality_NM[:, other]
        gap_K = gap_N[~np.isnan(gap_N)]
        group_K = None if self.group_N is None else self.group_N[~np.isnan(gap_N)]
        square = float(gap_K.var()) * design_effect(gap_K, group_K) / gap_K.size
        if self.variance_NM is not None:
            differ_K = np.flatnonzero((choice_N != other) & ~np.isnan(gap_N))
            variance_K = self.variance_NM[differ_K, choice_N[differ_K]] + self.variance_NM[differ_K, other]
            square = max(square, float(variance_K.sum()) / gap_K.size**2)
        return float(np.sqrt(square))

    def at(self, choice_N: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Quality and cost of one choice a prompt, shape (N,) each; nan where the choice is -1."""
        row_N, known_N = np.arange(choice_N.size), choice_N >= 0
        got_N, paid_N = self.quality_NM[row_N, choice_N], self.cost_usd_NM[row_N, choice_N]
        return np.where(known_N, got_N, np.nan), np.where(known_N, paid_N, np.nan)


def judge_learning(seen: Board, held: HeldOut, expected_cost_usd_NM: Floats, seed: int) -> Judged:
    """What choices on the learning prompts are worth; expected costs where none is known.

    Raises:
        ValueError: logged propensities that can't be.
    """
    evidence = evidence_of(seen, seed)
    predicted_NM = (held.prompt_NM + held.soft_NM) / 2
    return with_expected(
        Judged(
            quality_NM=judged_outcomes(seen.worth_NM, predicted_NM, evidence),
            cost_usd_NM=judged_outcomes(seen.cost_usd_NM, expected_cost_usd_NM, evidence),
            variance_NM=None if evidence.kind == "complete" else stand_in_variance(predicted_NM, evidence),
            group_N=seen.group_N,
        ),
        expected_cost_usd_NM,
    )


def judge_sample(
    board: Board, learnt_K: Rows, held_KM: Floats, clusters: ClusterTables, most: int, seed: int
) -> tuple[Board, Floats]:
    """An even sample of the prompts, and what each candidate's answers to them are worth, by stage 1 alone.

    Args:
        board: all prompts; only the sample's rows are read of it.
        learnt_K: rows that stage 1 learnt from, ascending.
        held_KM: quality that it expects of each of these, held out.
        clusters: what it expects of the others.
        most: prompts of the sample at most, >= 1.
        seed: of the propensities' folds, where the board has none yet.

    Raises:
        ValueError: logged propensities that can't be.
    """
    rows_N = evenly(board.split_N.size, most)
    sample = board.take(rows_N)
    predicted_NM = clusters.expected(sample.features_NF)
    learnt_N = np.isin(rows_N, learnt_K)
    predicted_NM[learnt_N] = held_KM[np.searchsorted(learnt_K, rows_N[learnt_N])]
    return sample, judged_outcomes(sample.worth_NM, predicted_NM, evidence_of(sample, seed))


def with_expected(judged: Judged, expected_cost_usd_NM: Floats) -> Judged:
    """The same, with expected costs where none was logged."""
    return replace(judged, cost_usd_NM=np.where(np.isnan(judged.cost_usd_NM), expected_cost_usd_NM, judged.cost_usd_NM))

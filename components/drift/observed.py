"""Whether quality still comes out as predicted.

Shapes: N prompts, M candidates, n prompts with outcomes, G conversations with outcomes (a prompt that belongs to none
is one of its own).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from components.drift.shares import Shift
from components.evaluation.bootstrap import intervals
from components.tables.groups import numbered


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityGap:
    """Mean predicted less mean observed quality: above 0 the router promises too much."""

    shift: Shift
    """Over all candidates; p of a gap beyond the tolerance."""
    predicted: float
    """Mean over prompts, those of one conversation counting once, in [0, 1]."""
    observed: float
    prompts: int
    """With at least one outcome; those of one conversation count once."""
    by_candidate: dict[str, float]
    """Gap of each candidate that has outcomes."""
    candidates: "tuple[CandidateGap, ...]"
    """Those with enough outcomes to be tested alone, the least likely to be within the tolerance first."""

    @property
    def worst(self) -> "CandidateGap | None":
        """The candidate whose gap is least likely to be within the tolerance; None: none has enough outcomes."""
        return self.candidates[0] if self.candidates else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateGap:
    """The gap of one candidate, tested as one of several."""

    model: str
    shift: Shift
    """p: times the number of candidates tested (Bonferroni), at most 1; the interval is as wide as that asks, so that
    the 95 % are of all candidates together."""
    outcomes: int
    """Those of one conversation count once."""


FEWEST = 20
"""Outcomes that a candidate needs to be tested alone."""


def quality_gap(
    predicted_NM: NDArray[np.floating],
    observed_NM: NDArray[np.floating],
    models: tuple[str, ...],
    tolerance: float,
    seed: int,
    resamples: int = 1000,
    conversation_N: NDArray[np.integer] | None = None,
) -> QualityGap | None:
    """The gap over observed outcomes; a prompt counts once, however many candidates answered it.

    A conversation counts once too, by the mean over its turns: they succeed and fail together.

    p is of the hypothesis that the true gap is within the tolerance (a minimum-effect t test, Murphy and Myors 1999):
    a tiny gap doesn't alarm however many outcomes there are. The interval is a percentile bootstrap over prompts.

    Both are as wide at least as right predictions make them: an outcome of 0 or 1 with mean p has variance p (1 - p),
    also where all of a few outcomes are alike and seem not to vary (a score test, Wilson 1927). Answers to one prompt
    may be right or wrong together, so several of them are taken to vary as much as one. Grades between 0 and 1 can vary
    less, and their own spread tells.

    Args:
        predicted_NM: the router's calibrated quality.
        observed_NM: nan where not observed.
        models: names of the M candidates.
        tolerance: gap that doesn't matter, >= 0.
        seed: of the resamples.
        resamples: of the bootstrap.
        conversation_N: prompts of one conversation share a number; below 0, or None: they belong to none.

    Returns:
        None where fewer than two prompts, or conversations, have outcomes.

    Raises:
        ValueError: shapes differ.
    """
    if predicted_NM.shape != observed_NM.shape or predicted_NM.shape[1] != len(models):
        raise ValueError(f"predicted {predicted_NM.shape} and observed {observed_NM.shape} of {len(models)} candidates")
    rows_n = np.flatnonzero((~np.isnan(observed_NM)).any(axis=1))
    number_n = np.arange(rows_n.size) if conversation_N is None else numbered(conversation_N[rows_n])
    if number_n.max(initial=0) == 0:
        return None
    observed_nM = observed_NM[rows_n]
    predicted_nM = np.where(np.isnan(observed_nM), np.nan, predicted_NM[rows_n])
    spread_nM = np.where(np.isnan(observed_nM), np.nan, _spread(predicted_nM, observed_nM))
    predicted_G, observed_G, spread_G = (
        _of_conversations(np.nanmean(side_nM, axis=1, keepdims=True), number_n)[:, 0]
        for side_nM in (predicted_nM, observed_nM, spread_nM)
    )
    gap_GM = _of_conversations(predicted_nM - observed_nM, number_n)
    return QualityGap(
        shift=_beyond(predicted_G - observed_G, spread_G, tolerance, seed, resamples),
        predicted=float(predicted_G.mean()),
        observed=float(observed_G.mean()),
        prompts=int(predicted_G.size),
        by_candidate={
            name: float(np.nanmean(gap_GM[:, column]))
            for column, name in enumerate(models)
            if not np.isnan(gap_GM[:, column]).all()
        },
        candidates=_alone(gap_GM, _of_conversations(spread_nM, number_n), models, tolerance, seed, resamples),
    )


def _of_conversations(value_nK: NDArray[np.floating], number_n: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean of each column over the turns of a conversation that have a value, nan where none has; shape (G, K)."""
    known_nK = ~np.isnan(value_nK)
    sum_GK, count_GK = (np.zeros((int(number_n.max()) + 1, value_nK.shape[1])) for _ in range(2))
    np.add.at(sum_GK, number_n, np.where(known_nK, value_nK, 0))
    np.add.at(count_GK, number_n, known_nK)
    return np.where(count_GK > 0, sum_GK / np.maximum(count_GK, 1), np.nan)


def _spread(predicted_nM: NDArray[np.floating], observed_nM: NDArray[np.floating]) -> NDArray[np.float64]:
    """Standard deviation of each outcome if its prediction is right; 0 where a grade between 0 and 1 doesn't tell."""
    chance_nM = np.clip(np.asarray(predicted_nM, dtype=np.float64), 0, 1)
    return np.where(np.isin(observed_nM, (0, 1)), np.sqrt(chance_nM * (1 - chance_nM)), 0)


def _beyond(
    gap_G: NDArray[np.floating],
    spread_G: NDArray[np.floating],
    tolerance: float,
    seed: int,
    resamples: int,
    tested: int = 1,
) -> Shift:
    """The mean gap, its interval, and p of a true gap within the tolerance; as one of so many that are tested."""
    level = 1 - 0.05 / tested
    interval = intervals(np.asarray(gap_G, dtype=np.float64)[:, None], seed, resamples=resamples, level=level)[0]
    mean, low, high, freedom = interval.mean, interval.low, interval.high, gap_G.size - 1
    seen, least = float(gap_G.std(ddof=1) / np.sqrt(gap_G.size)), float(np.sqrt((spread_G**2).mean() / gap_G.size))
    error = max(seen, least)
    if least > seen:
        # resamples of outcomes that are alike by chance are as alike
        reach = float(stats.t.isf((1 - level) / 2, freedom)) * error
        low, high = min(low, mean - reach), max(high, mean + reach)
    if error == 0:
        return Shift(figure=mean, low=low, high=high, p=float(abs(mean) <= tolerance))
    # a true gap at one end of the tolerance can come out beyond the other; at a tolerance of 0 equally often
    p = float(stats.t.sf((np.array([-tolerance, tolerance]) + abs(mean)) / error, freedom).sum())
    return Shift(figure=mean, low=low, high=high, p=min(1.0, p * tested))


def _alone(
    gap_GM: NDArray[np.floating],
    spread_GM: NDArray[np.floating],
    models: tuple[str, ...],
    tolerance: float,
    seed: int,
    resamples: int,
) -> tuple[CandidateGap, ...]:
    """One model may fail while the mean over all hardly moves: each is tested."""
    known_GM = ~np.isnan(gap_GM)
    count_M = known_GM.sum(axis=0)
    tested = np.flatnonzero(count_M >= FEWEST).tolist()
    found = [
        CandidateGap(
            model=models[m],
            shift=_beyond(
                gap_GM[known_GM[:, m], m], spread_GM[known_GM[:, m], m], tolerance, seed, resamples, len(tested)
            ),
            outcomes=int(count_M[m]),
        )
        for m in tested
    ]
    return tuple(sorted(found, key=lambda one: (one.shift.p, -abs(one.shift.figure))))

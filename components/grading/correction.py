"""A judge corrected by better grades of a random part of its answers. Shapes: N prompts, M candidates.

Everywhere nan is "not graded". The corrected prompts of a candidate must be a random part of those that the judge
graded, else nothing here holds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]
FEWEST = 10
"""Corrected answers of a candidate below which its interval isn't believed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Corrected:
    """Prediction-powered means of M candidates."""

    power_M: Floats
    """How far the judge is believed, in [0, 1]: 0 uses the corrected answers alone."""
    truth_M: Floats
    """Mean of the corrected answers; nan where fewer than two were corrected."""
    luck_M: Floats
    """The judge's mean on the corrected answers less that on the others: how easy it finds what was corrected."""
    truth_share_NM: Floats
    """What each prompt adds to the error of `truth_M`."""
    luck_share_NM: Floats
    """What each prompt adds to the error of `luck_M`."""
    corrected_M: NDArray[np.int64]
    """Answers with both grades."""
    judged_M: NDArray[np.int64]
    """Answers that the judge graded."""

    @property
    def mean_M(self) -> Floats:
        """The corrected means; nan where fewer than two answers were corrected."""
        return self.truth_M - self.power_M * self.luck_M

    @property
    def error_M(self) -> Floats:
        """Standard error of each mean."""
        share_NM = self.truth_share_NM - self.power_M * self.luck_share_NM
        return np.where(np.isnan(self.truth_M), np.nan, np.sqrt((share_NM**2).sum(axis=0)))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Low and high end of each mean, by Student's t."""
        half_M = _quantile(level, self.corrected_M) * self.error_M
        return self.mean_M - half_M, self.mean_M + half_M

    def difference(self, first: int, second: int, level: float = 0.95) -> tuple[float, float, float]:
        """Mean, low and high of the first candidate's mean less the second's; nan where one of them is.

        Prompts that both share are paired, and the judge is believed as far as makes the difference most certain: on
        pairs that can be less than for either mean.
        """
        share_N = self.truth_share_NM[:, first] - self.truth_share_NM[:, second]
        luck_N2 = self.luck_share_NM[:, [first, second]] * [1.0, -1.0]
        power_2 = np.linalg.lstsq(luck_N2, share_N, rcond=1e-9)[0]
        luck = float(power_2 @ (self.luck_M[[first, second]] * [1.0, -1.0]))
        gap = float(self.truth_M[first] - self.truth_M[second]) - luck
        error = float(np.sqrt(((share_N - luck_N2 @ power_2) ** 2).sum()))
        half = float(_quantile(level, self.corrected_M[[first, second]].min()[None])[0]) * error
        return gap, gap - half, gap + half


def correct(judge_NM: Floats, truth_NM: Floats, power: float | None = None) -> Corrected:
    """Means of the truth from the judge's grades of all answers and the better grades of some of them.

    mean = power x mean(judge on the uncorrected) + mean(truth - power x judge on the corrected), with the power that
    makes it most certain (Angelopoulos et al. 2023, arXiv 2301.09633; power: Angelopoulos, Duchi and Zrnic 2023,
    arXiv 2311.01453, section 6).

    Args:
        judge_NM: the judge's grades; nan: not judged.
        truth_NM: better grades of a random part of the same answers; nan elsewhere.
        power: how far the judge is believed, in [0, 1]; None: each candidate's best.

    Raises:
        ValueError: the shapes differ, or power is outside [0, 1].

    >>> judge = np.array([[0.9], [0.7], [0.9], [0.7]])
    >>> truth = np.array([[0.8], [0.6], [np.nan], [np.nan]])
    >>> correct(judge, truth, power=1.0).mean_M.round(3).tolist()
    [0.7]
    """
    if judge_NM.shape != truth_NM.shape:
        raise ValueError(f"judge {judge_NM.shape} and truth {truth_NM.shape} differ in shape")
    if power is not None and not 0 <= power <= 1:
        raise ValueError(f"power must be in [0, 1], got {power}")
    both_NM = np.isfinite(judge_NM) & np.isfinite(truth_NM)
    alone_NM = np.isfinite(judge_NM) & ~both_NM
    n_M, rest_M = both_NM.sum(axis=0), alone_NM.sum(axis=0)
    power_M = _power(judge_NM, truth_NM, both_NM, alone_NM) if power is None else np.full(n_M.size, float(power))
    # nothing is left for the judge to add
    power_M = np.where(rest_M > 0, power_M, 0.0)
    right_NM, seen_NM, other_NM = (
        np.where(mask_NM, grade_NM, 0.0)
        for mask_NM, grade_NM in ((both_NM, truth_NM), (both_NM, judge_NM), (alone_NM, judge_NM))
    )
    right_M, seen_M, other_M = _mean(right_NM, n_M), _mean(seen_NM, n_M), _mean(other_NM, rest_M)
    few_M, left_M = np.maximum(n_M, 1), np.maximum(rest_M, 1)
    return Corrected(
        power_M=power_M,
        truth_M=np.where(n_M >= 2, right_M, np.nan),
        luck_M=np.where(rest_M > 0, seen_M - other_M, 0.0),
        truth_share_NM=np.where(both_NM, right_NM - right_M, 0.0) / few_M,
        luck_share_NM=np.where(
            rest_M > 0,
            np.where(both_NM, seen_NM - seen_M, 0.0) / few_M - np.where(alone_NM, other_NM - other_M, 0.0) / left_M,
            0.0,
        ),
        corrected_M=n_M.astype(np.int64),
        judged_M=(n_M + rest_M).astype(np.int64),
    )


def pseudo_grades(judge_NM: Floats, truth_NM: Floats, power_M: Floats) -> Floats:
    """Per-answer grades whose means are the corrected ones, for whatever averages grades prompt by prompt.

    power x judge everywhere, plus (truth - power x judge) / share on the corrected share. They may leave [0, 1]: learn
    from `recalibrate`, judge with these.

    >>> judge, truth = np.array([[0.9], [0.7]]), np.array([[0.8], [np.nan]])
    >>> pseudo_grades(judge, truth, np.ones(1)).round(3).tolist()
    [[0.7], [0.7]]
    """
    both_NM = np.isfinite(judge_NM) & np.isfinite(truth_NM)
    judged_M = np.isfinite(judge_NM).sum(axis=0)
    share_M = both_NM.sum(axis=0) / np.maximum(judged_M, 1)
    fixed_NM = np.where(both_NM, truth_NM - power_M * judge_NM, 0.0) / np.where(share_M > 0, share_M, 1.0)
    return power_M * judge_NM + fixed_NM


def more_to_halve(judge_NM: Floats, truth_NM: Floats) -> NDArray[np.int64]:
    """How many more answers of each candidate must be corrected to halve its interval, shape (M,); -1: no number does.

    With n of N answers corrected the variance is v (1 - r^2) / n + v r^2 / N at the best power, v the truth's variance
    and r its correlation with the judge; solved for a quarter of it. Where even N corrections don't do, the judge must
    grade more prompts first.
    """
    both_NM = np.isfinite(judge_NM) & np.isfinite(truth_NM)
    n_M, all_M = both_NM.sum(axis=0), np.isfinite(judge_NM).sum(axis=0)
    more_M = np.full(n_M.size, -1, dtype=np.int64)
    for m in np.flatnonzero(n_M >= 2):
        truth, judge = truth_NM[both_NM[:, m], m], judge_NM[both_NM[:, m], m]
        spread = float(truth.var())
        if spread == 0:
            more_M[m] = 0
            continue
        shared = float(np.corrcoef(truth, judge)[0, 1] ** 2) if judge.std() > 0 else 0.0
        noise, floor = spread * (1 - shared), spread * shared / all_M[m]
        left = (noise / n_M[m] + floor) / 4 - floor
        needed = np.ceil(noise / left) if left > 0 else np.inf
        more_M[m] = int(needed - n_M[m]) if needed <= all_M[m] else -1
    return more_M


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recalibration:
    """truth = intercept of the candidate + slope x judge's grade."""

    slope: float
    intercept_M: Floats

    def apply(self, judge_NM: Floats) -> Floats:
        """Grades in [0, 1] on the scale of the truth; nan stays nan."""
        return np.clip(self.intercept_M + self.slope * judge_NM, 0.0, 1.0)


def recalibrate(judge_NM: Floats, truth_NM: Floats, strength: float = 10.0) -> Recalibration:
    """A line from the judge's grades to the truth's, for training: one slope, an intercept a candidate.

    The slope is fitted within candidates (ridge towards 1), each candidate's intercept is shrunk to all of them's:
    judges are biased by candidate, but ten corrections tell a bias only to .1.

    Args:
        judge_NM: the judge's grades; nan: not judged.
        truth_NM: better grades of a part of them; nan elsewhere.
        strength: corrected answers that weigh as much as what all candidates share, > 0.

    Raises:
        ValueError: strength isn't positive, or nothing was corrected.
    """
    if not strength > 0:
        raise ValueError(f"strength must be > 0 answers, got {strength}")
    both_NM = np.isfinite(judge_NM) & np.isfinite(truth_NM)
    if not both_NM.any():
        raise ValueError("no answer has a grade by the judge and a better one")
    n_M = both_NM.sum(axis=0)
    judge_NM, truth_NM = np.where(both_NM, judge_NM, 0.0), np.where(both_NM, truth_NM, 0.0)
    mean_judge_M, mean_truth_M = _mean(judge_NM, n_M), _mean(truth_NM, n_M)
    away_NM = np.where(both_NM, judge_NM - mean_judge_M, 0.0)
    spread = float((away_NM**2).sum())
    shared = float((away_NM * np.where(both_NM, truth_NM - mean_truth_M, 0.0)).sum())
    pull = strength * spread / max(int(n_M.sum()), 1)
    slope = float(np.clip((shared + pull) / (spread + pull), 0.0, None)) if spread > 0 else 1.0
    offset_M = mean_truth_M - slope * mean_judge_M
    common = float(np.average(offset_M, weights=n_M))
    return Recalibration(slope=slope, intercept_M=common + n_M / (n_M + strength) * (offset_M - common))


def _power(judge_NM: Floats, truth_NM: Floats, both_NM: NDArray[np.bool_], alone_NM: NDArray[np.bool_]) -> Floats:
    n_M, rest_M = both_NM.sum(axis=0), alone_NM.sum(axis=0)
    centred = [
        np.where(both_NM, grade_NM, 0.0) - np.where(both_NM, _mean(np.where(both_NM, grade_NM, 0.0), n_M), 0.0)
        for grade_NM in (judge_NM, truth_NM)
    ]
    shared_M = _mean(centred[0] * centred[1], n_M)
    every_NM = both_NM | alone_NM
    all_M = n_M + rest_M
    filled_NM = np.where(every_NM, judge_NM, 0.0)
    away_NM = np.where(every_NM, filled_NM - _mean(filled_NM, all_M), 0.0)
    spread_M = (away_NM**2).sum(axis=0) / np.maximum(all_M - 1, 1)
    scale_M = (1 + n_M / np.maximum(rest_M, 1)) * spread_M
    return np.asarray(np.clip(np.divide(shared_M, scale_M, out=np.zeros(n_M.size), where=scale_M > 0), 0.0, 1.0))


def _mean(filled_NM: Floats, count_M: NDArray[np.int64]) -> Floats:
    """Means of columns that are 0 where nothing counts."""
    return np.asarray(filled_NM.sum(axis=0) / np.maximum(count_M, 1))


def _quantile(level: float, corrected_M: NDArray[np.int64]) -> Floats:
    """Student's t, for the corrected answers are what the error is estimated from."""
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    return np.asarray(stdtrit(np.maximum(corrected_M - 1, 1), (1 + level) / 2))

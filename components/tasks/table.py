"""What each candidate is worth on each task, with small tasks shrunken towards the general picture.

Shapes: N prompts, M candidates, T tasks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from components.tasks.partition import Partition, from_labels, members

_FREEDOM = 30
"""Degrees of freedom that a candidate's variance rests on at least; what its own outcomes lack is lent by all."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskTable:
    """The quality table of a partition; every field is an array."""

    quality_TM: NDArray[np.float64]
    """Shrunken quality, in [0, 1]."""
    mean_TM: NDArray[np.float64]
    """Plain mean of observed outcomes; nan where there are none."""
    count_TM: NDArray[np.int64]
    """Outcomes observed."""
    general_M: NDArray[np.float64]
    """Mean over all prompts, assigned or not."""
    candidate_TM: NDArray[np.bool_]
    """Whether the candidate deserves a head of its own on the task."""
    coverage_T: NDArray[np.float64]
    """Share of the task's prompts of which some best candidate is among the task's candidates; 1 if none has any."""
    size_T: NDArray[np.int64]
    """Prompts."""

    @property
    def candidate_share(self) -> float:
        """Share of the pool that is kept, mean over tasks; 0 without tasks."""
        return float(self.candidate_TM.mean()) if self.candidate_TM.size else 0.0


def shrink(mean_C: NDArray[np.float64], variance_C: NDArray[np.float64]) -> NDArray[np.float64]:
    """Empirical-Bayes posterior means of effects around 0: x tau2 / (tau2 + variance) (Morris 1983, JASA 78).

    tau2, the effects' own variance, is the moment estimate of DerSimonian and Laird (1986) for a known centre:
    max(0, (sum w x2 - C) / sum w) with w = 1 / variance.

    Args:
        mean_C: measured effects, shape (C,).
        variance_C: sampling variance of each, >= 0, infinite where nothing was measured, shape (C,).

    Returns:
        Shrunken effects, shape (C,): between 0 and the measured one.

    >>> shrink(np.array([2.0, -2.0]), np.array([1.0, 1.0])).tolist()
    [1.5, -1.5]
    """
    known_C = np.isfinite(variance_C)
    exact_C = variance_C <= 1e-12
    weight_C = np.where(known_C & ~exact_C, 1 / np.maximum(variance_C, 1e-12), 0.0)
    total = weight_C.sum()
    if total == 0:
        return np.where(known_C, mean_C, 0.0)
    spread = max(0.0, float(((weight_C * mean_C**2).sum() - np.count_nonzero(weight_C)) / total))
    factor_C = np.where(known_C, spread / (spread + np.where(known_C, np.maximum(variance_C, 1e-12), 1.0)), 0.0)
    return np.asarray(mean_C * np.where(exact_C, 1.0, factor_C))


def outcome_variance(
    square_C: NDArray[np.float64], freedom_C: NDArray[np.integer], otherwise: float
) -> NDArray[np.float64]:
    """Variance of one outcome of each candidate: its own, and where it has few degrees of freedom partly everybody's.

    One outcome a task tells nothing of its variance, and a few equal ones say 0: the candidate's luck would be taken
    for certain. So its own sum of squares is filled up to 30 degrees of freedom at the variance pooled over all
    candidates, as by a conjugate prior (Gelman et al. 2013, Bayesian Data Analysis, section 2.6).

    Args:
        square_C: sum of squares within tasks, shape (C,).
        freedom_C: its degrees of freedom, >= 0, shape (C,).
        otherwise: the pooled variance where no candidate has any degree of freedom.

    >>> outcome_variance(np.array([8.0, 0.0]), np.array([40, 0]), 0.25).tolist()
    [0.2, 0.2]
    """
    freedom = freedom_C.sum()
    pooled = square_C.sum() / freedom if freedom else otherwise
    lent_C = np.maximum(_FREEDOM - freedom_C, 0)
    return np.asarray((square_C + lent_C * pooled) / (freedom_C + lent_C))


def task_table(
    partition: Partition,
    quality_NM: NDArray[np.floating],
    prior_NM: NDArray[np.floating] | None = None,
    *,
    coverage: float = 0.9,
    prior_variance_floor: float = 1e-4,
) -> TaskTable:
    """The shrunken quality table of a partition, and each task's candidates.

    Quality is split into prior + how easy the task is + how the candidate departs from both there; the last two are
    shrunken apart, since tasks differ more in difficulty than in which candidate wins. Departures are taken within
    a prompt, so that a candidate tried on easy prompts only gains nothing by it. A prompt's only outcome can't depart
    from itself: it is compared with its task's ease. Of few outcomes each takes part of its own departure away; what is
    left is scaled up to what it would be beside all candidates'.

    How much outcomes vary is pooled over tasks, and over candidates for those with few outcomes: `outcome_variance`.

    A task's candidates: in order of shrunken quality, added until the share of the task's prompts with a best candidate
    (any of those tied) among them reaches `coverage`.

    Args:
        partition: of the N prompts.
        quality_NM: quality in [0, 1], nan where missing, shape (N, M).
        prior_NM: quality expected of each prompt before its task is known, such as its label's (`label_quality`), shape
            (N, M); the candidates' general means if not given. A task is shrunken towards the mean of its prompts'.
        coverage: delta, in (0, 1].
        prior_variance_floor: least within-task variance of an outcome, > 0; where all outcomes of tasks are equal.

    Raises:
        ValueError: shapes that don't fit, coverage out of range, or a candidate without a single outcome.
    """
    quality_NM = np.asarray(quality_NM, dtype=np.float64)
    if quality_NM.ndim != 2 or quality_NM.shape[0] != partition.task_N.size:
        raise ValueError(f"quality {quality_NM.shape} does not fit a partition of {partition.task_N.size} prompts")
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage must be in (0, 1], got {coverage}")
    seen_NM = ~np.isnan(quality_NM)
    if not seen_NM.any(axis=0).all():
        raise ValueError(f"candidate {int(seen_NM.any(axis=0).argmin())} has no outcome among the training prompts")
    filled_NM = np.where(seen_NM, quality_NM, 0.0)
    general_M = filled_NM.sum(axis=0) / seen_NM.sum(axis=0)
    expected_NM = np.broadcast_to(general_M, quality_NM.shape) if prior_NM is None else np.asarray(prior_NM)
    if expected_NM.shape != quality_NM.shape:
        raise ValueError(f"prior {expected_NM.shape} does not fit quality {quality_NM.shape}")
    above_NM = np.where(seen_NM, filled_NM - expected_NM, 0.0)
    outcomes_N = seen_NM.sum(axis=1)
    ease_N = above_NM.sum(axis=1) / np.maximum(outcomes_N, 1)
    weight_TN = members(partition.task_N, partition.tasks)
    size_T = np.bincount(partition.task_N[partition.task_N >= 0], minlength=partition.tasks)
    count_TM = (weight_TN @ seen_NM).astype(np.int64)
    answered_N = seen_NM.any(axis=1)
    mean = float(filled_NM.sum() / seen_NM.sum())
    noise = mean * (1 - mean), prior_variance_floor
    ease_T = _shrunken_means(weight_TN, ease_N[:, None], answered_N[:, None], *noise)[:, 0]
    compared_N = np.where(outcomes_N == 1, np.append(ease_T, 0.0)[partition.task_N], ease_N)
    departure_NM = np.where(seen_NM, above_NM - compared_N[:, None], 0.0) * _undiluted(outcomes_N, seen_NM.shape[1])
    departure_TM = _shrunken_means(weight_TN, departure_NM, seen_NM, *noise)
    size_T1 = size_T[:, None]
    # A task may be empty where some of a partition's prompts were left out.
    prior_TM = np.where(size_T1 > 0, weight_TN @ expected_NM / np.maximum(size_T1, 1), general_M)
    quality_TM = np.clip(prior_TM + ease_T[:, None] + departure_TM, 0, 1)
    mean_TM = np.where(count_TM > 0, weight_TN @ filled_NM / np.maximum(count_TM, 1), np.nan)
    candidate_TM, coverage_T = task_candidates(partition, quality_NM, quality_TM, coverage)
    return TaskTable(
        quality_TM=quality_TM,
        mean_TM=mean_TM,
        count_TM=count_TM,
        general_M=general_M,
        candidate_TM=candidate_TM,
        coverage_T=coverage_T,
        size_T=size_T.astype(np.int64),
    )


def _undiluted(outcomes_N: NDArray[np.integer], candidates: int) -> NDArray[np.float64]:
    """What departures within a prompt of k outcomes are multiplied by, shape (N, 1): 1 for one outcome and for all.

    The mean of k outcomes holds 1/k of each; that of all M candidates holds 1/M.
    """
    few_N = (outcomes_N > 1) & (outcomes_N < candidates)
    k_N = np.where(few_N, outcomes_N, 2)
    whole = (candidates - 1) / candidates
    return np.where(few_N, k_N / (k_N - 1) * whole, 1.0)[:, None]


def known_labels(label_N: NDArray[np.str_] | None, minimum_size: int) -> NDArray[np.str_] | None:
    """Labels, the rare ones as one, shape (N,); None where fewer than two are given to `minimum_size` prompts."""
    if label_N is None:
        return None
    names, inverse_N, count = np.unique(label_N, return_inverse=True, return_counts=True)
    if (count >= minimum_size).sum() < 2:
        return None
    return np.where(count < minimum_size, "", names)[inverse_N].astype(np.str_)


def label_quality(label_N: NDArray[np.str_], quality_NM: NDArray[np.floating]) -> NDArray[np.float64]:
    """The shrunken quality table of the logs' own labels, read at each prompt's label, shape (N, M).

    Raises:
        ValueError: as `task_table`.
    """
    labels = from_labels(np.unique(label_N, return_inverse=True)[1], minimum_size=1)
    return np.asarray(task_table(labels, quality_NM).quality_TM[labels.task_N])


def task_candidates(
    partition: Partition, quality_NM: NDArray[np.floating], quality_TM: NDArray[np.float64], coverage: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Each task's best candidates by the table, as many as it takes to cover its prompts' preferred ones.

    Returns:
        Whether each candidate is kept, shape (T, M), at least one a task; the share covered, shape (T,).
    """
    tasks, candidates = quality_TM.shape
    candidate_TM = np.zeros((tasks, candidates), dtype=bool)
    coverage_T = np.ones(tasks)
    for task in range(tasks):
        rows_KM = quality_NM[partition.task_N == task]
        rows_KM = rows_KM[~np.isnan(rows_KM).all(axis=1)]
        order_M = np.argsort(-quality_TM[task], kind="stable")
        if rows_KM.shape[0] == 0:
            candidate_TM[task, order_M[0]] = True
            continue
        best_KM = np.nan_to_num(rows_KM, nan=-1.0) == np.nanmax(rows_KM, axis=1, keepdims=True)
        covered_M = np.logical_or.accumulate(best_KM[:, order_M], axis=1).mean(axis=0)
        kept = int(np.argmax(covered_M >= coverage - 1e-12)) + 1
        candidate_TM[task, order_M[:kept]] = True
        coverage_T[task] = covered_M[kept - 1]
    return candidate_TM, coverage_T


def _shrunken_means(
    weight_TN: csr_array, value_NC: NDArray[np.float64], seen_NC: NDArray[np.bool_], otherwise: float, floor: float
) -> NDArray[np.float64]:
    count_TC = weight_TN @ seen_NC
    mean_TC = weight_TN @ np.where(seen_NC, value_NC, 0.0) / np.maximum(count_TC, 1)
    square_TC = weight_TN @ np.where(seen_NC, value_NC**2, 0.0)
    # One variance a column, pooled over tasks: a task's own is too noisy to weigh its mean by.
    within_C = outcome_variance(
        (square_TC - count_TC * mean_TC**2).sum(axis=0), (count_TC - 1).clip(min=0).sum(axis=0), otherwise
    )
    variance_TC = np.where(count_TC > 0, np.maximum(within_C, floor) / np.maximum(count_TC, 1), np.inf)
    return shrink(mean_TC.ravel(), variance_TC.ravel()).reshape(mean_TC.shape)

"""Whether a share rose and whether a mix moved. Shapes: N recent prompts, K reference prompts, C classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from components.evaluation.bootstrap import resampled_means


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How far something moved, with its 95 % interval and the chance of so much without drift."""

    figure: float
    low: float
    high: float
    p: float


def share_rise(recent_N: NDArray[np.bool_], reference_K: NDArray[np.bool_], seed: int, resamples: int = 1000) -> Shift:
    """Recent share less reference share, with a percentile bootstrap interval and Fisher's exact one-sided p.

    Raises:
        ValueError: one side has no prompts.

    >>> share_rise(np.array([True, True]), np.array([False, False]), seed=0).figure
    1.0
    """
    first, second = np.random.SeedSequence(seed).spawn(2)
    ends = [
        resampled_means(side.astype(np.float64)[:, None], _number(own), resamples)[:, 0]
        for side, own in ((recent_N, first), (reference_K, second))
    ]
    low, high = np.quantile(ends[0] - ends[1], [0.025, 0.975])
    hits = int(recent_N.sum())
    p = stats.hypergeom.sf(hits - 1, recent_N.size + reference_K.size, hits + int(reference_K.sum()), recent_N.size)
    return Shift(figure=float(recent_N.mean() - reference_K.mean()), low=float(low), high=float(high), p=float(p))


def stability_index(count_RC: NDArray[np.integer], other_RC: NDArray[np.integer]) -> NDArray[np.float64]:
    """Population stability index of two mixes, row by row: sum (p - q) ln(p / q), symmetric; shape (R,).

    Half a prompt is added to every class (Jeffreys), so that a class without prompts counts much but not infinitely.

    Args:
        count_RC: prompts in each class.
        other_RC: the same of the other side.

    >>> stability_index(np.array([[5, 5]]), np.array([[50, 50]])).tolist()
    [0.0]
    """
    p_RC, q_RC = (
        (side + 0.5) / (side.sum(axis=1, keepdims=True) + 0.5 * side.shape[1])
        for side in (np.asarray(count_RC, dtype=np.float64), np.asarray(other_RC, dtype=np.float64))
    )
    index_R: NDArray[np.float64] = ((p_RC - q_RC) * np.log(p_RC / q_RC)).sum(axis=1)
    return index_R


def mix_shift(
    recent_C: NDArray[np.integer], reference_C: NDArray[np.integer], seed: int, *, permutations: int, resamples: int
) -> Shift:
    """Population stability index of the task mix, corrected for the size of the samples.

    Two samples of one mix differ by chance, by about (C - 1)(1/N + 1/K). The bootstrap repeats that excess, so it is
    subtracted: the figure is 2 x index - mean of resamples (at least 0), the interval is the basic bootstrap's (Davison
    and Hinkley 1997, equation 5.6). p is that of a permutation test on the raw index, exact for any sample size.

    Args:
        recent_C: recent prompts in each class, unassigned among them.
        reference_C: reference prompts in each class.
        seed: of the resamples and relabellings.
        permutations: relabellings.
        resamples: bootstrap resamples.

    Raises:
        ValueError: the classes differ, or one side has no prompts.
    """
    if recent_C.shape != reference_C.shape:
        raise ValueError(f"mixes of {recent_C.size} and {reference_C.size} classes can't be compared")
    recent, reference = int(recent_C.sum()), int(reference_C.sum())
    if recent == 0 or reference == 0:
        raise ValueError("a mix needs at least one prompt on each side")
    generator = np.random.default_rng(seed)
    observed = float(stability_index(recent_C[None], reference_C[None])[0])
    drawn_R = stability_index(
        generator.multinomial(recent, recent_C / recent, size=resamples),
        generator.multinomial(reference, reference_C / reference, size=resamples),
    )
    low, high = 2 * observed - np.quantile(drawn_R, [0.975, 0.025])
    pooled_C = recent_C + reference_C
    relabelled_PC = generator.multivariate_hypergeometric(pooled_C, recent, size=permutations, method="marginals")
    permuted_P = stability_index(relabelled_PC, pooled_C - relabelled_PC)
    p = (1 + int((permuted_P >= observed - 1e-12).sum())) / (permutations + 1)
    return Shift(
        figure=max(0.0, 2 * observed - float(drawn_R.mean())), low=max(0.0, float(low)), high=max(0.0, float(high)), p=p
    )


def class_counts(task_N: NDArray[np.integer], tasks: int) -> NDArray[np.int64]:
    """Prompts in each class: unassigned first, then each task; shape (tasks + 1,).

    >>> class_counts(np.array([-1, 0, 2, 2]), 3).tolist()
    [1, 1, 0, 2]
    """
    return np.bincount(task_N + 1, minlength=tasks + 1).astype(np.int64)


def _number(seed: np.random.SeedSequence) -> int:
    return int(seed.generate_state(1)[0])

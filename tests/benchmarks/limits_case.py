"""What prompts that are nearly the same share of their outcomes, and what that allows a router to reach.

Shapes: N prompts, M candidates, J judges, P pairs of twins, K prompts with a twin.
"""

import numpy as np
from numpy.typing import NDArray

from components.tables.groups import numbered

Floats = NDArray[np.float64]
PRIOR_WEIGHTS = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 1e9)
"""Answers that the prior counts as; the last: the prior alone decides."""


def parts(quality_NM: Floats) -> tuple[Floats, Floats]:
    """What candidates share of each prompt's outcomes, (N, 1), and what each departs from that, (N, M)."""
    above_NM = quality_NM - quality_NM.mean(axis=0)
    shared_N1 = above_NM.mean(axis=1, keepdims=True)
    return shared_N1, above_NM - shared_N1


def twins(group_N: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of neighbours within each group of near-duplicates."""
    order_N = np.argsort(group_N, kind="stable")
    same = group_N[order_N][:-1] == group_N[order_N][1:]
    return order_N[:-1][same], order_N[1:][same]


def agreement(value_NC: Floats, first_P: NDArray[np.intp], second_P: NDArray[np.intp]) -> tuple[float, float]:
    """Mean product of twins as a share of the mean square, and its standard error over pairs."""
    whole = float((value_NC**2).sum(axis=1).mean())
    product_P = (value_NC[first_P] * value_NC[second_P]).sum(axis=1) / whole
    return float(product_P.mean()), float(product_P.std() / np.sqrt(product_P.size))


def by_label(value_NC: Floats, benchmark_N: NDArray[np.str_]) -> float:
    """Share of the variance that a mean for each label explains."""
    _, label_N = np.unique(benchmark_N, return_inverse=True)
    count_L1 = np.bincount(label_N)[:, None]
    sum_LC = np.zeros((count_L1.size, value_NC.shape[1]))
    np.add.at(sum_LC, label_N, value_NC)
    return float(((sum_LC / count_L1)[label_N] ** 2).sum() / (value_NC**2).sum())


def reached(
    prior_NM: Floats, seen_NM: Floats, count_N: Floats, judged_NM: Floats, group_N: NDArray[np.integer], seed: int
) -> Floats:
    """What a choice by earlier answers to the same prompts gets on later ones, shape (N,); they share no luck.

    Nobody who chooses by what can be known of a prompt gets less at best, but for this sample's noise: earlier answers
    tell something of it, not all. So the mean bounds from below what can be learnt at all. How many answers the prior
    counts as is chosen for each half of the groups on the other one.

    Args:
        prior_NM: what was believed before any answer, such as a router's predictions.
        seen_NM: mean of the earlier answers.
        count_N: how many there are, >= 1.
        judged_NM: what the choice is judged by: later answers.
        group_N: prompts that belong together; below 0: to nothing.
        seed: of the halves.
    """
    row_N, number_N = np.arange(len(prior_NM)), numbered(group_N)
    got_WN = []
    for weight in PRIOR_WEIGHTS:
        share_N1 = (weight / (weight + count_N))[:, None]
        choice_N = (share_N1 * prior_NM + (1 - share_N1) * seen_NM).argmax(axis=1)
        got_WN.append(judged_NM[row_N, choice_N])
    by_weight = np.array(got_WN)
    half_N = np.random.default_rng(seed).permutation(np.arange(number_N.max() + 1) % 2)[number_N]
    got_N = np.empty(row_N.size)
    for half in (0, 1):
        here_N = half_N == half
        # of equally good ones the greatest: a choice by few answers has to show its worth
        mean_W = by_weight[:, ~here_N].mean(axis=1) if not here_N.all() else np.zeros(len(by_weight))
        got_N[here_N] = by_weight[len(mean_W) - 1 - int(mean_W[::-1].argmax()), here_N]
    return got_N


def by_halves(
    quality_NM: Floats, samples: int, prior_NM: Floats, group_N: NDArray[np.integer], seed: int, repeats: int = 50
) -> Floats:
    """The choice by half of each prompt's samples, judged on the other half, both ways, shape (N,).

    Which samples were right isn't needed: given how many were, those of a half are hypergeometric.

    Args:
        quality_NM: share of a cell's samples that were right.
        samples: of each cell, even.
        prior_NM: see `reached`.
        group_N: see `reached`.
        seed: of the halves.
        repeats: divisions that the mean is taken over.

    Raises:
        ValueError: a quality isn't a share of so many samples, or these can't be halved.
    """
    right_NM = np.rint(quality_NM * samples).astype(np.int64)
    if samples % 2 or not np.allclose(right_NM, quality_NM * samples, atol=1e-6):
        raise ValueError(f"want shares of an even number of samples, not of {samples}")
    random, half = np.random.default_rng(seed), samples // 2
    count_N = np.full(len(quality_NM), float(half))
    total_N = np.zeros(len(quality_NM))
    for repeat in range(repeats):
        first_NM = random.hypergeometric(right_NM, samples - right_NM, half) / half
        second_NM = right_NM / half - first_NM
        total_N += reached(prior_NM, first_NM, count_N, second_NM, group_N, seed + repeat)
        total_N += reached(prior_NM, second_NM, count_N, first_NM, group_N, seed + repeat)
    return total_N / (2 * repeats)


def by_twins(
    quality_NM: Floats, prior_NM: Floats, group_N: NDArray[np.integer], seed: int
) -> tuple[NDArray[np.intp], Floats]:
    """Rows with a twin, shape (K,), and what the choice by the outcomes of their group's others gets on their own.

    Args:
        quality_NM: outcomes.
        prior_NM: see `reached`.
        group_N: near-duplicates share a number; below 0: of nothing.
        seed: see `reached`.
    """
    number_N = numbered(group_N)
    count_N = np.bincount(number_N)[number_N] - 1.0
    rows_K = np.flatnonzero(count_N > 0)
    if not rows_K.size:
        return rows_K, np.empty(0)
    sum_GM = np.zeros((number_N.max() + 1, quality_NM.shape[1]))
    np.add.at(sum_GM, number_N, quality_NM)
    others_KM = (sum_GM[number_N] - quality_NM)[rows_K] / count_N[rows_K, None]
    return rows_K, reached(prior_NM[rows_K], others_KM, count_N[rows_K], quality_NM[rows_K], group_N[rows_K], seed)


def by_judges(grade_NMJ: Floats, prior_NM: Floats, group_N: NDArray[np.integer], seed: int) -> Floats:
    """The choice by one judge's grades, judged by the others' mean, every judge in turn, shape (N,).

    All judge the same answers: it is rid of the judges' luck, not of the answers'.

    Args:
        grade_NMJ: of at least two judges.
        prior_NM: see `reached`.
        group_N: see `reached`.
        seed: see `reached`.
    """
    judges, one_N = grade_NMJ.shape[2], np.ones(len(grade_NMJ))
    parts = [
        reached(prior_NM, grade_NMJ[:, :, judge], one_N, np.delete(grade_NMJ, judge, 2).mean(axis=2), group_N, seed)
        for judge in range(judges)
    ]
    return np.asarray(np.mean(parts, axis=0))

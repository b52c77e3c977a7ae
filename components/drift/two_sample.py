"""Whether two samples of embeddings come from one distribution.

Shapes: N and K prompts, A = N + K, D dimensions, P relabellings, R resamples.
"""

import numpy as np
from numpy.typing import NDArray

from components.drift.shares import Shift

_BATCH = 256


def energy_test(
    recent_ND: NDArray[np.floating],
    reference_KD: NDArray[np.floating],
    seed: int,
    *,
    permutations: int = 1999,
    resamples: int = 1000,
) -> Shift:
    """Energy distance permutation test (Székely and Rizzo 2013): it sees any difference, not only of means.

    The figure is the energy coefficient E / (2 mean |x - y|), in [0, 1] but for chance: 0 for one distribution, 1 for
    two constants. E = 2 mean |x - y| - mean |x - x'| - mean |y - y'| over different prompts, so it is unbiased and may
    fall below 0. p counts relabellings with E at least as large. The interval is the basic bootstrap's over prompts.

    Raises:
        ValueError: fewer than two prompts on a side, or different widths.
    """
    if recent_ND.ndim != 2 or reference_KD.ndim != 2 or recent_ND.shape[1] != reference_KD.shape[1]:
        raise ValueError(f"embeddings {recent_ND.shape} and {reference_KD.shape} can't be compared")
    recent, reference = recent_ND.shape[0], reference_KD.shape[0]
    if min(recent, reference) < 2:
        raise ValueError(f"the energy test needs two prompts on each side, got {recent} and {reference}")
    distance_AA = pairwise_distances(np.concatenate([recent_ND, reference_KD]))
    generator = np.random.default_rng(seed)
    label_A = np.arange(recent + reference) < recent
    observed, coefficient = (float(part[0]) for part in _energy(distance_AA, label_A[None].astype(np.float32)))
    beaten = 0
    for start in range(0, permutations, _BATCH):
        rows = min(_BATCH, permutations - start)
        relabelled_PA = generator.permuted(np.broadcast_to(label_A, (rows, label_A.size)), axis=1)
        beaten += int((_energy(distance_AA, relabelled_PA.astype(np.float32))[0] >= observed - 1e-9).sum())
    drawn_R = _bootstrap(distance_AA, recent, reference, generator, resamples)
    low, high = 2 * coefficient - np.quantile(drawn_R, [0.975, 0.025])
    return Shift(figure=coefficient, low=float(low), high=float(high), p=(1 + beaten) / (permutations + 1))


def pairwise_distances(row_AD: NDArray[np.floating]) -> NDArray[np.float32]:
    """Euclidean distances of all pairs, shape (A, A), exactly 0 on the diagonal."""
    row_AD = np.asarray(row_AD, dtype=np.float32)
    square_A = (row_AD**2).sum(axis=1)
    squared_AA = square_A[:, None] + square_A[None, :] - 2 * (row_AD @ row_AD.T)
    np.fill_diagonal(squared_AA, 0)
    return np.asarray(np.sqrt(np.maximum(squared_AA, 0)), dtype=np.float32)


def _energy(
    distance_AA: NDArray[np.float32], label_PA: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unbiased energy distance and coefficient of each labelling; 1 marks the first sample."""
    first_P = label_PA.sum(axis=1, dtype=np.float64)
    second_P = label_PA.shape[1] - first_P
    toward_PA = label_PA @ distance_AA
    within_P = np.einsum("pa,pa->p", toward_PA, label_PA, dtype=np.float64)
    reached_P = toward_PA.sum(axis=1, dtype=np.float64)
    between_P = reached_P - within_P
    other_P = distance_AA.sum(dtype=np.float64) - within_P - 2 * between_P
    cross_P = 2 * between_P / (first_P * second_P)
    energy_P = cross_P - within_P / (first_P * (first_P - 1)) - other_P / (second_P * (second_P - 1))
    return energy_P, energy_P / np.maximum(cross_P, 1e-12)


def _bootstrap(
    distance_AA: NDArray[np.float32], recent: int, reference: int, generator: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """Coefficients of resamples drawn within each side, a pair weighted by how often its prompts were drawn.

    A prompt meets its own copies at distance 0, which shrinks mean distances by (n - 1) / n: undone here.
    """
    drawn = []
    for start in range(0, resamples, _BATCH):
        rows = min(_BATCH, resamples - start)
        one_RN = generator.multinomial(recent, np.full(recent, 1 / recent), size=rows).astype(np.float32)
        two_RK = generator.multinomial(reference, np.full(reference, 1 / reference), size=rows).astype(np.float32)
        near_RN, cross_RK = one_RN @ distance_AA[:recent, :recent], one_RN @ distance_AA[:recent, recent:]
        within_R = np.einsum("rn,rn->r", near_RN, one_RN, dtype=np.float64) / (recent * (recent - 1))
        other_R = np.einsum("rk,rk->r", two_RK @ distance_AA[recent:, recent:], two_RK, dtype=np.float64) / (
            reference * (reference - 1)
        )
        between_R = 2 * np.einsum("rk,rk->r", cross_RK, two_RK, dtype=np.float64) / (recent * reference)
        drawn.append((between_R - within_R * recent / (recent - 1) - other_R * reference / (reference - 1)) / between_R)
    return np.concatenate(drawn)

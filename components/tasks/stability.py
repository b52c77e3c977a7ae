"""Whether discovery finds the same tasks again on part of the data. Shapes: N prompts, K of them drawn."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from components.tasks.partition import Partition


def adjusted_rand(left_N: NDArray[np.integer], right_N: NDArray[np.integer]) -> float:
    """Adjusted Rand index of two labellings (Hubert & Arabie 1985): 1 the same, about 0 for chance.

    Args:
        left_N: any integer labels, shape (N,).
        right_N: labels of the same prompts, shape (N,).

    Raises:
        ValueError: lengths differ.

    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([5, 5, 2, 2]))
    1.0
    """
    if left_N.shape != right_N.shape or left_N.ndim != 1:
        raise ValueError(f"labels {left_N.shape} and {right_N.shape} must be equal and flat")
    if left_N.size < 2:
        return 1.0
    _, left_N = np.unique(left_N, return_inverse=True)
    _, right_N = np.unique(right_N, return_inverse=True)
    _, both = np.unique(left_N.astype(np.int64) * (right_N.max() + 1) + right_N, return_counts=True)

    def pairs(counts: NDArray[np.integer]) -> float:
        return float((counts.astype(np.float64) * (counts - 1)).sum() / 2)

    together, left, right = pairs(both), pairs(np.bincount(left_N)), pairs(np.bincount(right_N))
    expected = left * right / (left_N.size * (left_N.size - 1) / 2)
    most = (left + right) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def bootstrap_ari(
    discover: Callable[[NDArray[np.int64]], Partition],
    partition: Partition,
    *,
    seed: int,
    repeats: int = 4,
    share: float = 0.8,
) -> float:
    """Mean ARI between a partition and what discovery finds on subsamples: `bootstrap_aris` for one partition."""
    return bootstrap_aris(lambda row_K: [discover(row_K)], [partition], seed=seed, repeats=repeats, share=share)[0]


def bootstrap_aris(
    discover: Callable[[NDArray[np.int64]], Sequence[Partition]],
    partitions: Sequence[Partition],
    *,
    seed: int,
    repeats: int = 4,
    share: float = 0.8,
) -> list[float]:
    """Mean ARI of each partition with what its discovery finds on subsamples, drawn without replacement.

    Subsamples rather than draws with replacement: copies of a prompt would be each other's nearest neighbours.
    Compared over the prompts that both assign; a subsample in which both share none counts 0.

    Args:
        discover: rows in ascending order, shape (K,), to one partition of them for each of `partitions`; together, so
            that what they have in common is computed once a subsample.
        partitions: of all N prompts.
        seed: of the subsamples.
        repeats: subsamples, >= 1.
        share: of prompts in each, in (0, 1].

    Raises:
        ValueError: repeats or share out of range.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be >= 1, got {repeats}")
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1], got {share}")
    if not any(partition.tasks for partition in partitions):
        return [0.0] * len(partitions)
    rng = np.random.default_rng(seed)
    prompts = partitions[0].task_N.size
    score_RP = np.zeros((repeats, len(partitions)))
    for repeat in range(repeats):
        row_K = np.sort(rng.choice(prompts, size=max(1, round(share * prompts)), replace=False))
        for column, (again, before) in enumerate(zip(discover(row_K), partitions, strict=True)):
            score_RP[repeat, column] = _agreement(again.task_N, before.task_N[row_K])
    return [float(score) for score in score_RP.mean(axis=0)]


def _agreement(again_K: NDArray[np.int32], before_K: NDArray[np.int32]) -> float:
    both_K = (again_K >= 0) & (before_K >= 0)
    return adjusted_rand(again_K[both_K], before_K[both_K]) if both_K.any() else 0.0

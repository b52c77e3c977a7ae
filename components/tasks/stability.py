"""Whether discovery finds the same tasks again on part of the data. Shapes: N prompts, K of them drawn."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from components.tasks.partition import Partition


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
    return float(adjusted_rand_score(again_K[both_K], before_K[both_K])) if both_K.any() else 0.0

"""k-means as every method that groups prompts uses it.

Shapes: N prompts, K of them in a sample, F features, D directions, C clusters.
"""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning

from components.tables.principal import principal_directions
from components.tables.sampling import evenly
from components.tasks.partition import members

SAMPLE = 12_000
"""Prompts that centres are found from at most: two hundred for each of sixty."""
DIRECTIONS = 64
"""Principal directions that centres of a sample are found along at most."""
_STEP = 100_000
"""Prompts whose distances to the centres are worked out at a time."""


def cluster(
    unit_NF: NDArray[np.float32], clusters: int, seed: int, *, rounds: int = 300, sample: int = SAMPLE
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Centres, shape (C, F), and the cluster of each prompt; fewer clusters where there are fewer distinct prompts.

    Args:
        unit_NF: unit rows.
        clusters: C at most, >= 1.
        seed: of the start.
        rounds: of Lloyd's algorithm at most, >= 1.
        sample: prompts that centres are found from at most, >= 1; of more, an even sample along its principal
            directions, and all are put to the nearest centre.
    """
    if len(unit_NF) > sample:
        part_KF = unit_NF[evenly(len(unit_NF), sample)]
        # nearly a clustering of the whole, for a fraction of the arithmetic (Ding and He 2004, "K-means clustering via
        # principal component analysis", ICML)
        low_KD = part_KF @ principal_directions(part_KF, DIRECTIONS)
        _, found_K = cluster(low_KD, clusters, seed, rounds=rounds, sample=sample)
        # a cluster of prompts that differ by rounding alone can be left empty
        _, cluster_K, size_C = np.unique(found_K, return_inverse=True, return_counts=True)
        centre_CF = (members(cluster_K, size_C.size) @ part_KF / size_C[:, None]).astype(np.float32)
        return centre_CF, _nearest(unit_NF, centre_CF)
    # prompts that differ in their first feature are distinct: rows are compared whole only where that isn't enough
    distinct = np.unique(unit_NF[:, 0]).size
    if distinct < clusters:
        distinct = np.unique(unit_NF, axis=0).shape[0]
    # in double precision: of single precision scikit-learn converts all rows for every centre, which took nine tenths
    # of a clustering
    _, start_C = kmeans_plusplus(unit_NF.astype(np.float64), min(clusters, distinct), random_state=seed)
    means = KMeans(start_C.size, init=unit_NF[start_C], n_init=1, max_iter=rounds)
    with warnings.catch_warnings():
        # Prompts that differ by rounding alone count as distinct here and as one in scikit-learn.
        warnings.simplefilter("ignore", ConvergenceWarning)
        cluster_N = means.fit_predict(unit_NF)
    return np.asarray(means.cluster_centers_, dtype=np.float32), np.asarray(cluster_N, dtype=np.intp)


def _nearest(unit_NF: NDArray[np.float32], centre_CF: NDArray[np.float32]) -> NDArray[np.intp]:
    """The nearest centre of each prompt."""
    square_C = (centre_CF**2).sum(axis=1)
    parts = [
        (square_C - 2 * (unit_NF[start : start + _STEP] @ centre_CF.T)).argmin(axis=1)
        for start in range(0, len(unit_NF), _STEP)
    ]
    return np.concatenate(parts).astype(np.intp)

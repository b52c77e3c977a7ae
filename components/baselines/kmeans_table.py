"""Mean outcomes of k-means clusters (Avengers-Pro, arXiv 2508.12631), one level or several.

Shapes: N prompts, M candidates, F features, C clusters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from components.baselines.knn import unit
from components.baselines.protocol import TrainingSet, means


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterTables:
    """One table of quality a level, averaged."""

    centre_LCF: tuple[NDArray[np.float32], ...]
    quality_LCM: tuple[NDArray[np.float64], ...]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean over the levels of the nearest cluster's quality, shape (N, M)."""
        unit_NF = unit(features_NF)
        levels = [
            quality_CM[_nearest(unit_NF, centre_CF)]
            for centre_CF, quality_CM in zip(self.centre_LCF, self.quality_LCM, strict=True)
        ]
        return np.asarray(np.mean(levels, axis=0), dtype=np.float64)


def kmeans_table(training: TrainingSet, seed: int, clusters: int = 60, strength: float = 5.0) -> ClusterTables:
    """One k-means table, each cluster's means shrunken towards the general mean.

    Args:
        clusters: at most; fewer where there are fewer prompts.
        strength: prompts that the general mean counts for, >= 0.
    """
    unit_NF = unit(training.features_NF)
    centre_CF, cluster_N = _cluster(unit_NF, clusters, seed)
    quality_CM = _shrunken(
        training.quality_NM, cluster_N, _general(training)[None], np.zeros(len(centre_CF), int), strength
    )
    return ClusterTables(centre_LCF=(centre_CF,), quality_LCM=(quality_CM,))


def hierarchical(
    training: TrainingSet,
    seed: int,
    sizes: tuple[int, ...] = (8, 20, 60),
    strength: float = 20.0,
    draws: int = 5,
) -> ClusterTables:
    """Tables from coarse to fine, each cluster shrunken towards the coarser one that holds most of it.

    Args:
        sizes: clusters of each level, ascending.
        strength: prompts that the coarser table counts for, >= 0.
        draws: seeds that are averaged, >= 1.
    """
    unit_NF = unit(training.features_NF)
    centres, tables = [], []
    for draw in range(draws):
        above_CM, above_N = _general(training)[None], np.zeros(unit_NF.shape[0], dtype=np.intp)
        for size in sizes:
            centre_CF, cluster_N = _cluster(unit_NF, size, 1000 * seed + draw)
            overlap_CA = np.zeros((len(centre_CF), len(above_CM)))
            np.add.at(overlap_CA, (cluster_N, above_N), 1)
            above_CM = _shrunken(training.quality_NM, cluster_N, above_CM, overlap_CA.argmax(axis=1), strength)
            above_N = cluster_N
            centres.append(centre_CF)
            tables.append(above_CM)
    return ClusterTables(centre_LCF=tuple(centres), quality_LCM=tuple(tables))


def _general(training: TrainingSet) -> NDArray[np.float64]:
    return np.nan_to_num(means(training.quality_NM))


def _cluster(unit_NF: NDArray[np.float32], clusters: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    fitted = KMeans(min(clusters, unit_NF.shape[0]), n_init=1, random_state=seed).fit(unit_NF)
    centre_CF = np.asarray(fitted.cluster_centers_, dtype=np.float32)
    return centre_CF, _nearest(unit_NF, centre_CF)


def _nearest(unit_NF: NDArray[np.float32], centre_CF: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.asarray((unit_NF @ centre_CF.T - (centre_CF**2).sum(axis=1) / 2).argmax(axis=1))


def _shrunken(
    quality_NM: NDArray[np.float64],
    cluster_N: NDArray[np.intp],
    above_AM: NDArray[np.float64],
    parent_C: NDArray[np.intp],
    strength: float,
) -> NDArray[np.float64]:
    shape = (parent_C.size, quality_NM.shape[1])
    sum_CM, count_CM = np.zeros(shape), np.zeros(shape)
    np.add.at(sum_CM, cluster_N, np.nan_to_num(quality_NM))
    np.add.at(count_CM, cluster_N, ~np.isnan(quality_NM))
    return (sum_CM + strength * above_AM[parent_C]) / np.maximum(count_CM + strength, 1e-9)

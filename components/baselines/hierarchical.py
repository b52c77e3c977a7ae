"""Quality tables over k-means clusters, coarse to fine, each shrunken towards the coarser one.

A prompt's estimate is the finest table's row, so many clusters cost little where they hold few outcomes. Averaged over
several seeds, since k-means has many local optima. One level of 60 is the table of clusters known from the literature
(Jitkrittum et al. 2025, "Universal model routing", arXiv 2502.08773, section 4).
Shapes: N prompts, M candidates, F features, C clusters.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.clusters import cluster
from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board
from components.tasks.partition import members
from components.tasks.table import outcome_variance, shrink
from pointsman.model.unit import unit_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchyConfig:
    """The levels and how often they are drawn."""

    clusters: tuple[int, ...] = (8, 20, 60)
    """Clusters of each level, ascending, each >= 1; fewer where there are fewer distinct prompts."""
    repeats: int = 4
    """Seeds averaged, >= 1."""

    def __post_init__(self) -> None:
        if not self.clusters or min(self.clusters) < 1 or list(self.clusters) != sorted(self.clusters):
            raise ValueError(f"clusters must ascend from 1 or more, got {self.clusters}")
        if self.repeats < 1:
            raise ValueError(f"repeats must be >= 1, got {self.repeats}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterTable:
    """Centres and the estimated quality of each candidate at each."""

    centre_CF: NDArray[np.float32]
    quality_CM: NDArray[np.float64]

    def predict(self, unit_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """The row of each prompt's nearest centre, shape (N, M)."""
        distance_NC = (self.centre_CF**2).sum(axis=1) - 2 * unit_NF @ self.centre_CF.T
        return np.asarray(self.quality_CM[distance_NC.argmin(axis=1)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HierarchyModel:
    """The finest table of every repeat."""

    tables: tuple[ClusterTable, ...]
    seen_M: NDArray[np.bool_]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean over repeats of the finest table's estimate, shape (N, M)."""
        unit_NF = unit_rows(features_NF)
        total_NM = np.sum([table.predict(unit_NF) for table in self.tables], axis=0)
        return unseen_last(total_NM / len(self.tables), self.seen_M)


def fit(
    training: Board,
    seed: int,
    config: HierarchyConfig = HierarchyConfig(),
) -> HierarchyModel:
    """Clusters unit features at each level and shrinks each level's table towards the level above.

    Raises:
        ValueError: no outcome.
    """
    general_M = candidate_means(training.quality_NM)
    unit_NF = unit_rows(training.features_NF)
    tables = []
    for repeat in range(config.repeats):
        estimate_NM = np.tile(general_M, (unit_NF.shape[0], 1))
        for level, clusters in enumerate(config.clusters):
            draw = int(np.random.SeedSequence([seed, repeat, level]).generate_state(1)[0])
            centre_CF, cluster_N = cluster(unit_NF, clusters, draw)
            quality_CM = shrunken_table(cluster_N, training.quality_NM, estimate_NM, centre_CF.shape[0])
            estimate_NM = quality_CM[cluster_N]
        tables.append(ClusterTable(centre_CF=centre_CF, quality_CM=quality_CM))
    return HierarchyModel(tables=tuple(tables), seen_M=general_M > 0)


def shrunken_table(
    cluster_N: NDArray[np.intp], quality_NM: NDArray[np.float64], parent_NM: NDArray[np.float64], clusters: int
) -> NDArray[np.float64]:
    """Quality of each candidate in each cluster, shrunken towards its parents' estimate there, shape (C, M).

    A cluster need not lie within one parent: its prior is the mean of its members' parent estimates, and its effect the
    mean of outcome - parent estimate, which empirical Bayes shrinks for each candidate by how much effects differ
    beyond sampling noise (Morris 1983), which a candidate of few outcomes has from all, see `outcome_variance`.

    Args:
        parent_NM: the coarser level's estimate for each prompt.
        clusters: C; an empty cluster gets the mean of all parents' estimates.
    """
    member_CN = members(cluster_N, clusters)
    seen_NM = ~np.isnan(quality_NM)
    size_C1 = np.bincount(cluster_N, minlength=clusters)[:, None]
    prior_CM = np.where(size_C1 > 0, member_CN @ parent_NM / np.maximum(size_C1, 1), parent_NM.mean(axis=0))
    residual_NM = np.where(seen_NM, quality_NM - parent_NM, 0.0)
    count_CM = member_CN @ seen_NM
    effect_CM = member_CN @ residual_NM / np.maximum(count_CM, 1)
    rest_NM = np.where(seen_NM, residual_NM - effect_CM[cluster_N], 0.0)
    freedom_M = seen_NM.sum(axis=0) - (count_CM > 0).sum(axis=0)
    mean = float(np.where(seen_NM, quality_NM, 0.0).sum() / max(seen_NM.sum(), 1))
    noise_M = np.maximum(outcome_variance((rest_NM**2).sum(axis=0), freedom_M, mean * (1 - mean)), 1e-4)
    variance_CM = np.where(count_CM > 0, noise_M / np.maximum(count_CM, 1), np.inf)
    shrunken_MC = [shrink(effect_CM[:, m], variance_CM[:, m]) for m in range(quality_NM.shape[1])]
    return np.asarray(np.clip(prior_CM + np.stack(shrunken_MC, axis=1), 0, 1))

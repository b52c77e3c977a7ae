"""Cluster tables for the router, from the hierarchy that is also a peer of its own."""

import numpy as np
from numpy.typing import NDArray

from components.baselines.hierarchical import fit
from components.tables.board import Board
from pointsman.model.clusters import ClusterTables


def cluster_tables(
    features_NF: NDArray[np.float32],
    quality_NM: NDArray[np.float64],
    seed: int,
) -> ClusterTables:
    """Tables of clusters of the prompts, coarse to fine, each level shrunken towards the coarser, drawn several times.

    Args:
        features_NF: of the training prompts.
        quality_NM: quality in [0, 1]; nan where not observed.
        seed: of the clusterings.

    Raises:
        ValueError: no outcome.
    """
    training = Board(features_NF=features_NF, quality_NM=quality_NM)
    model = fit(training, seed)
    return ClusterTables(
        centre_RCF=np.stack([table.centre_CF for table in model.tables]),
        quality_RCM=np.stack([table.quality_CM for table in model.tables]),
    )

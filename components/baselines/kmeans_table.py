"""One table over k-means clusters, shrunken towards each candidate's mean."""

from components.baselines.hierarchical import HierarchyConfig, HierarchyModel
from components.baselines.hierarchical import fit as fit_hierarchy
from components.tables.board import Board

CONFIG = HierarchyConfig(clusters=(60,), repeats=1)


def fit(training: Board, seed: int, config: HierarchyConfig = CONFIG) -> HierarchyModel:
    """As `hierarchical.fit`, with one level and one draw.

    Raises:
        ValueError: no outcome.
    """
    return fit_hierarchy(training, seed, config)

"""Fits reference points and the floor of novelty. Shapes: N prompts, D embedding, C centroids."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.clusters import cluster
from components.tables.units import units
from pointsman.model.novelty import Novelty
from pointsman.model.unit import unit_rows

Floats32 = NDArray[np.float32]
_FEWEST = 10
"""Groups from which anything is known of lengths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyConfig:
    """When a prompt counts as far away."""

    centroids: int = 256
    """At most so many reference points, >= 1."""
    rounds: int = 8
    """Rounds of k-means at most, >= 1."""
    quantile: float = 0.005
    """Share of calibration prompts at or below the floor before the margin, and of groups with longer prompts than a
    known prompt may have, in [0, 1]."""
    margin: float = 0.05
    """Cosine below that quantile at which novelty begins, >= 0."""

    def __post_init__(self) -> None:
        if self.centroids < 1 or self.rounds < 1:
            raise ValueError(f"centroids and rounds must be >= 1, got {self.centroids} and {self.rounds}")
        if not 0 <= self.quantile <= 1 or not self.margin >= 0:
            raise ValueError(f"quantile must be in [0, 1] and margin >= 0, got {self.quantile} and {self.margin}")


def known_length(tokens_N: NDArray[np.floating], group_N: NDArray[np.integer], quantile: float) -> float:
    """Tokens of the longest prompts that a router has learnt enough of: few groups have longer ones.

    Args:
        tokens_N: of each prompt that it learnt from, >= 0; nan: unknown.
        group_N: prompts that belong together, such as turns of a conversation, below 0: to nothing; they tell once what
            becomes of such a length.
        quantile: share of groups that may have longer ones, in [0, 1]; nine at most.

    Returns:
        0 where there are fewer than ten groups, or no lengths: nobody knows.

    >>> known_length(np.arange(1.0, 101.0), np.full(100, -1), quantile=0.02)
    98.0
    """
    unit_N = units(group_N)
    longest_U = np.zeros(int(unit_N.max(initial=-1)) + 1)
    np.maximum.at(longest_U, unit_N, np.nan_to_num(tokens_N))
    if longest_U.size < _FEWEST:
        return 0.0
    longer = min(int(quantile * longest_U.size), _FEWEST - 1)
    return float(np.sort(longest_U)[-1 - longer])


def fit_novelty(train_ND: Floats32, calibration_ND: Floats32, config: NoveltyConfig, seed: int) -> Novelty:
    """Directions of the k-means centres of the training prompts, the floor of their cosine on other prompts.

    The floor is set on prompts that the centroids haven't seen; without any, on the training prompts.

    Raises:
        ValueError: no training prompts.
    """
    if train_ND.shape[0] == 0:
        raise ValueError("novelty needs at least one training prompt")
    generator = np.random.default_rng(seed)
    # a sample is enough for 256 points, and bounds the time on large logs
    sample_K = generator.permutation(train_ND.shape[0])[: 100 * config.centroids]
    centroid_CD = unit_rows(cluster(unit_rows(train_ND[sample_K]), config.centroids, seed, rounds=config.rounds)[0])
    reference_ND = calibration_ND if calibration_ND.shape[0] else train_ND
    unfloored = Novelty(centroid_CD=centroid_CD, floor=np.array(-1, dtype=np.float32))
    floor = np.quantile(unfloored.similarity(reference_ND), config.quantile) - config.margin
    return Novelty(centroid_CD=centroid_CD, floor=np.array(floor, dtype=np.float32))

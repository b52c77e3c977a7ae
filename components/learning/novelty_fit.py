"""Fits reference points and the floor of novelty. Shapes: N prompts, D embedding, C centroids."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.model.novelty import Novelty, unit_rows

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyConfig:
    """When a prompt counts as far away."""

    centroids: int = 256
    """At most so many reference points, >= 1."""
    rounds: int = 8
    """Rounds of k-means, >= 0."""
    quantile: float = 0.005
    """Share of calibration prompts at or below the floor before the margin, in [0, 1]."""
    margin: float = 0.05
    """Cosine below that quantile at which novelty begins, >= 0."""

    def __post_init__(self) -> None:
        if self.centroids < 1 or self.rounds < 0:
            raise ValueError(f"centroids must be >= 1 and rounds >= 0, got {self.centroids} and {self.rounds}")
        if not 0 <= self.quantile <= 1 or not self.margin >= 0:
            raise ValueError(f"quantile must be in [0, 1] and margin >= 0, got {self.quantile} and {self.margin}")


def fit_novelty(train_ND: Floats, calibration_ND: Floats, config: NoveltyConfig, seed: int) -> Novelty:
    """Centroids of the training prompts by spherical k-means (Dhillon and Modha 2001), the floor on other prompts.

    The floor is set on prompts that the centroids haven't seen; without any, on the training prompts.

    Raises:
        ValueError: no training prompts.
    """
    if train_ND.shape[0] == 0:
        raise ValueError("novelty needs at least one training prompt")
    unit_ND = unit_rows(train_ND)
    generator = np.random.default_rng(seed)
    # a sample is enough for 256 points, and bounds the time on large logs
    sample_N = generator.permutation(unit_ND.shape[0])[: 100 * config.centroids]
    unit_ND = unit_ND[sample_N]
    centroid_CD = unit_ND[: config.centroids].copy()
    for _ in range(config.rounds):
        nearest_N = (unit_ND @ centroid_CD.T).argmax(axis=1)
        member_NC = (nearest_N[:, None] == np.arange(centroid_CD.shape[0])).astype(np.float32)
        total_CD = member_NC.T @ unit_ND
        # a centroid that lost its prompts, or whose prompts cancel out, stays where it was
        kept_C = np.linalg.norm(total_CD, axis=1) > 1e-6
        centroid_CD = np.where(kept_C[:, None], unit_rows(total_CD), centroid_CD)
    reference_ND = calibration_ND if calibration_ND.shape[0] else train_ND
    unfloored = Novelty(centroid_CD=centroid_CD, floor=np.array(-1, dtype=np.float32))
    floor = np.quantile(unfloored.similarity(reference_ND), config.quantile) - config.margin
    return Novelty(centroid_CD=centroid_CD, floor=np.array(floor, dtype=np.float32))

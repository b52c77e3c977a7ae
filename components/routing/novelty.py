"""Whether a prompt resembles anything the router was trained on. Shapes: N prompts, D embedding, C centroids."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Novelty:
    """Reference points on the sphere and the similarity below which a prompt is novel."""

    centroid_CD: Floats
    """Unit rows."""
    floor: Floats
    """Shape (), a cosine."""

    def similarity(self, embedding_ND: Floats) -> Floats:
        """Cosine to the nearest reference point, shape (N,)."""
        return np.asarray((_unit(embedding_ND) @ self.centroid_CD.T).max(axis=1), dtype=np.float32)

    def novel(self, embedding_ND: Floats) -> NDArray[np.bool_]:
        """Which prompts are farther away than the floor, shape (N,)."""
        return self.similarity(embedding_ND) < self.floor


def fit_novelty(train_ND: Floats, calibration_ND: Floats, config: NoveltyConfig, seed: int) -> Novelty:
    """Centroids of the training prompts by spherical k-means (Dhillon and Modha 2001), the floor on other prompts.

    The floor is set on prompts that the centroids haven't seen; without any, on the training prompts.

    Raises:
        ValueError: no training prompts.
    """
    if train_ND.shape[0] == 0:
        raise ValueError("novelty needs at least one training prompt")
    unit_ND = _unit(train_ND)
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
        centroid_CD = np.where(kept_C[:, None], _unit(total_CD), centroid_CD)
    reference_ND = calibration_ND if calibration_ND.shape[0] else train_ND
    unfloored = Novelty(centroid_CD=centroid_CD, floor=np.array(-1, dtype=np.float32))
    floor = np.quantile(unfloored.similarity(reference_ND), config.quantile) - config.margin
    return Novelty(centroid_CD=centroid_CD, floor=np.array(floor, dtype=np.float32))


def _unit(row_ND: Floats) -> Floats:
    """Rows of length one; zero rows stay zero."""
    length_N1 = np.linalg.norm(row_ND, axis=1, keepdims=True)
    return np.asarray(row_ND / np.where(length_N1 > 0, length_N1, 1), dtype=np.float32)

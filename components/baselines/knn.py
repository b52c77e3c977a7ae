"""Mean outcome of the nearest training prompts (RouterBench, arXiv 2403.12031, section 4).

Shapes: N prompts, K training prompts, M candidates, F features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.protocol import TrainingSet, means

_BLOCK = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearestNeighbours:
    """Training prompts by direction, and what was observed on them."""

    unit_KF: NDArray[np.float32]
    quality_KM: NDArray[np.float64]
    neighbours: int

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean quality among the nearest by cosine; the general mean where none of them has an outcome."""
        observed_KM = (~np.isnan(self.quality_KM)).astype(np.float32)
        filled_KM = np.nan_to_num(self.quality_KM)
        general_M = means(self.quality_KM)
        nearest = min(self.neighbours, self.unit_KF.shape[0])
        blocks = []
        for start in range(0, features_NF.shape[0], _BLOCK):
            cosine_BK = unit(features_NF[start : start + _BLOCK]) @ self.unit_KF.T
            at_BJ = np.argpartition(-cosine_BK, nearest - 1, axis=1)[:, :nearest]
            count_BM = observed_KM[at_BJ].sum(axis=1)
            sum_BM = filled_KM[at_BJ].sum(axis=1)
            blocks.append(np.where(count_BM > 0, sum_BM / np.maximum(count_BM, 1), general_M))
        return np.concatenate(blocks) if blocks else np.zeros((0, general_M.size))


def knn(training: TrainingSet, seed: int, neighbours: int = 100) -> NearestNeighbours:
    """Keeps the training prompts; `seed` plays no part."""
    return NearestNeighbours(unit_KF=unit(training.features_NF), quality_KM=training.quality_NM, neighbours=neighbours)


def unit(value_NF: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length one; rows of zeros stay."""
    return value_NF / np.maximum(np.linalg.norm(value_NF, axis=1, keepdims=True), np.float32(1e-9))

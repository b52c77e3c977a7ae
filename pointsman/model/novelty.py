"""Whether a prompt resembles anything the router was trained on. Shapes: N prompts, D embedding, C centroids."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.unit import unit_rows

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Novelty:
    """Reference points on the sphere and the similarity below which a prompt is novel."""

    centroid_CD: Floats32
    """Unit rows."""
    floor: Floats32
    """Shape (), a cosine."""

    def similarity(self, embedding_ND: Floats32) -> Floats32:
        """Cosine to the nearest reference point, shape (N,)."""
        return np.asarray((unit_rows(embedding_ND) @ self.centroid_CD.T).max(axis=1), dtype=np.float32)

    def nearest(self, embedding_1D: Floats32, count: int) -> tuple[tuple[int, float], ...]:
        """Number and cosine of the reference points nearest to a prompt, the nearest first; `count` or all there are.

        Each stands for a group of training prompts, and keeps its number for as long as the router lives.
        """
        cosine_C = (unit_rows(embedding_1D) @ self.centroid_CD.T)[0]
        return tuple((int(c), float(cosine_C[c])) for c in np.argsort(-cosine_C, kind="stable")[:count])

    def novel(self, embedding_ND: Floats32) -> NDArray[np.bool_]:
        """Which prompts are farther away than the floor, shape (N,)."""
        return self.similarity(embedding_ND) < self.floor


def too_long(tokens_N: NDArray[Any], longest: float) -> NDArray[np.bool_]:
    """Which prompts are longer than what was learnt from, shape (N,).

    Args:
        tokens_N: of each prompt, >= 0.
        longest: tokens that a known prompt has at most, >= 0; 0: nobody knows.

    >>> too_long(np.array([100, 101]), 100.0).tolist(), too_long(np.array([101]), 0.0).tolist()
    ([False, True], [False])
    """
    return np.asarray((tokens_N > longest) & (longest > 0))

"""A drift sample without the vectors of prompts that have to be forgotten. Shapes: K kept and N forgotten prompts."""

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.9999
"""Least cosine of two encodings of one prompt, which processors round differently; what else is so close goes too."""


def vectors_of(embedding_KD: NDArray[np.float32], own_ND: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which kept unit vectors are encodings of the N prompts, shape (K,).

    >>> vectors_of(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[1:2])
    array([False,  True, False])
    """
    if not own_ND.size:
        return np.zeros(embedding_KD.shape[0], dtype=np.bool_)
    return np.asarray((embedding_KD @ own_ND.T).max(axis=1) >= ALIKE)

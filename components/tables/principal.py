"""The few directions along which rows differ most. Shapes: K rows, F features, D directions."""

import numpy as np
from numpy.typing import NDArray


def principal_directions(row_KF: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Orthonormal directions of the greatest variance, shape (F, D), D = min(F, most); the last is the first in rank.

    Args:
        row_KF: K >= 1 rows; their mean doesn't matter.
        most: directions at most, >= 1.

    >>> abs(principal_directions(np.array([[0, 5], [1, 5], [2, 5]], dtype=np.float32), 1)).tolist()
    [[1.0], [0.0]]
    """
    centred_KF = row_KF - row_KF.mean(axis=0)
    _, direction_FF = np.linalg.eigh((centred_KF.T @ centred_KF).astype(np.float64))
    return np.asarray(direction_FF[:, -most:], dtype=np.float32)

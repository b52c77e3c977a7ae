"""Directions: the one place where rows are scaled to length one. Shapes: N rows, F columns."""

import numpy as np
from numpy.typing import NDArray

SMALLEST = np.float32(1e-12)
"""Length below which a row has no direction."""


def unit_rows(row_NF: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows scaled to length one, as float32; a row of zeros stays one.

    >>> unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]])).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length_N1 = np.linalg.norm(row_NF, axis=1, keepdims=True)
    return np.asarray(row_NF / np.maximum(length_N1, SMALLEST), dtype=np.float32)

"""What every router under test is: trained from the same arrays, asked the same question.

Shapes: N prompts, M candidates, F features.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.tables.board import Board


class QualityModel(Protocol):
    """A trained method."""

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality of each candidate on each prompt, shape (N, M); only each row's order matters."""
        ...


Fit = Callable[[Board, int], QualityModel]
"""Trains a method: (board of the prompts to learn from, seed) -> model. Deterministic in both."""

"""What every router under test is: trained from the same arrays, asked the same question.

Shapes: N prompts, M candidates, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainingSet:
    """What a method may learn from."""

    features_NF: NDArray[np.float32]
    quality_NM: NDArray[np.float64]
    """Quality in [0, 1]; nan where not observed."""
    cost_usd_NM: NDArray[np.float64]
    """USD per call; nan where unknown."""
    benchmark_N: NDArray[np.str_]
    """The logs' own label of each prompt; only label-known yardsticks may use it at prediction."""

    @property
    def observed_NM(self) -> NDArray[np.bool_]:
        """Where quality was observed."""
        return ~np.isnan(self.quality_NM)

    def take(self, rows_K: NDArray[np.intp]) -> "TrainingSet":
        """The same columns on a choice of prompts."""
        return TrainingSet(
            features_NF=self.features_NF[rows_K],
            quality_NM=self.quality_NM[rows_K],
            cost_usd_NM=self.cost_usd_NM[rows_K],
            benchmark_N=self.benchmark_N[rows_K],
        )


class QualityModel(Protocol):
    """A trained method."""

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality of each candidate on each prompt, shape (N, M); only each row's order matters."""
        ...


Fit = Callable[[TrainingSet, int], QualityModel]
"""Trains a method: (training set, seed) -> model. Deterministic in both."""

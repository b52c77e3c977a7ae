"""The best candidate of each benchmark, label known: the yardstick of routers that only tell data sets apart."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchmarkModel:
    """A row of mean quality for each benchmark; needs the label at prediction, so it is no router."""

    benchmark_B: NDArray[np.str_]
    """Ascending."""
    quality_BM: NDArray[np.float64]
    general_M: NDArray[np.float64]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Without labels: the mean over all benchmarks, shape (N, M)."""
        return np.tile(self.general_M, (features_NF.shape[0], 1))

    def predict_labelled(self, features_NF: NDArray[np.float32], benchmark_N: NDArray[np.str_]) -> NDArray[np.float64]:
        """The row of each prompt's benchmark, shape (N, M); the mean over all for one that was never seen."""
        if benchmark_N.shape[0] != features_NF.shape[0]:
            raise ValueError(f"{benchmark_N.shape[0]} labels for {features_NF.shape[0]} prompts")
        place_N = np.minimum(np.searchsorted(self.benchmark_B, benchmark_N), self.benchmark_B.size - 1)
        known_N = self.benchmark_B[place_N] == benchmark_N
        return np.where(known_N[:, None], self.quality_BM[place_N], self.general_M)


def fit(training: Board, seed: int) -> BenchmarkModel:
    """Mean observed quality of each candidate on each benchmark; its mean over all where it wasn't tried on one.

    Raises:
        ValueError: no outcome.
    """
    del seed
    general_M = candidate_means(training.quality_NM)
    benchmark_B, place_N = np.unique(training.benchmark_N, return_inverse=True)
    member_BN = (place_N[None, :] == np.arange(benchmark_B.size)[:, None]).astype(np.float64)
    count_BM = member_BN @ training.observed_NM
    mean_BM = member_BN @ np.nan_to_num(training.quality_NM) / np.maximum(count_BM, 1)
    return BenchmarkModel(
        benchmark_B=benchmark_B,
        quality_BM=unseen_last(np.where(count_BM > 0, mean_BM, general_M), general_M > 0),
        general_M=general_M,
    )

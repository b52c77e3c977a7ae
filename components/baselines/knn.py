"""The mean outcome of the nearest training prompts; hard to beat (Li 2025, arXiv 2505.12601)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import candidate_means, unseen_last
from components.tables.board import Board
from components.tasks.neighbours import exact_search
from pointsman.model.unit import unit_rows

_BLOCK = 512
"""Prompts whose neighbours' outcomes are gathered at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnnConfig:
    """How many neighbours vote."""

    neighbours: int = 100
    """k, >= 1; all training prompts where there are fewer."""

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise ValueError(f"neighbours must be >= 1, got {self.neighbours}")


def nearest(
    unit_NF: NDArray[np.float32], unit_KF: NDArray[np.float32], neighbours: int
) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Blocks of prompts, and for each prompt of one the rows of its k most similar training prompts, nearest first."""
    k = min(neighbours, unit_KF.shape[0])
    for start in range(0, unit_NF.shape[0], _BLOCK):
        block = slice(start, start + _BLOCK)
        yield block, exact_search(unit_KF, unit_NF[block], k)[0]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnnModel:
    """Training prompts and their outcomes."""

    unit_KF: NDArray[np.float32]
    quality_KM: NDArray[np.float64]
    general_M: NDArray[np.float64]
    neighbours: int

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean observed outcome of the k most similar training prompts by cosine, shape (N, M).

        A candidate that none of the neighbours was tried on gets its mean over all.
        """
        seen_KM = (~np.isnan(self.quality_KM)).astype(np.float64)
        filled_KM = np.nan_to_num(self.quality_KM)
        predicted_NM = np.tile(self.general_M, (features_NF.shape[0], 1))
        for block, nearest_Bk in nearest(unit_rows(features_NF), self.unit_KF, self.neighbours):
            count_BM = seen_KM[nearest_Bk].sum(axis=1)
            mean_BM = filled_KM[nearest_Bk].sum(axis=1) / np.maximum(count_BM, 1)
            predicted_NM[block] = np.where(count_BM > 0, mean_BM, self.general_M)
        return unseen_last(predicted_NM, self.general_M > 0)


def fit(training: Board, seed: int, config: KnnConfig = KnnConfig()) -> KnnModel:
    """Keeps the training prompts.

    Raises:
        ValueError: no outcome.
    """
    del seed
    return KnnModel(
        unit_KF=unit_rows(training.features_NF),
        quality_KM=training.quality_NM,
        general_M=candidate_means(training.quality_NM),
        neighbours=config.neighbours,
    )

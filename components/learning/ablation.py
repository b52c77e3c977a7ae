"""Stage 2 without stage 1: what heads make of prompts when nothing is known of tasks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.heads.experts import ExpertConfig, train_experts
from components.tables.board import Board
from components.tables.units import tenth
from pointsman.model.weights import ExpertWeights, sigmoid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadsAlone:
    """General heads on a shared trunk."""

    experts: ExpertWeights

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality, shape (N, M)."""
        return sigmoid(self.experts.general_logits(features_NF))


def fit_heads_alone(training: Board, seed: int) -> HeadsAlone:
    """The router's heads, trained from each candidate's mean; a `tenth` of the prompts stops them.

    Raises:
        ValueError: no outcome.
    """
    held_K, rest_K = tenth(training.group_N, seed)
    nowhere_N = np.full(training.group_N.size, -1, dtype=np.int32)
    experts, _ = train_experts(
        training.features_NF[rest_K],
        training.quality_NM[rest_K],
        nowhere_N[rest_K],
        np.zeros((0, training.quality_NM.shape[1]), dtype=bool),
        training.features_NF[held_K],
        training.quality_NM[held_K],
        nowhere_N[held_K],
        ExpertConfig(seed=seed),
    )
    return HeadsAlone(experts=experts)

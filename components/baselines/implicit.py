"""An implicit layer from features to the quality of each candidate, without tasks."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import candidate_means, unseen_last
from components.heads.implicit.head import ImplicitConfig, ImplicitHead, train_implicit_head
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImplicitModel:
    """A trained implicit head, untried candidates last."""

    head: ImplicitHead
    seen_M: NDArray[np.bool_]

    def predict(self, features_NF: NDArray[np.float32]) -> NDArray[np.float64]:
        """Predicted quality in [0, 1], shape (N, M).

        Raises:
            NotConverged: a sample's state didn't settle.
        """
        return unseen_last(self.head.predict(features_NF), self.seen_M)

    def figures(self) -> dict[str, float]:
        """How well-posed the head is and how hard its fixed points were to find: see ImplicitStatistics."""
        return {name: float(value) for name, value in asdict(self.head.statistics).items()}


def fit(
    training: Board,
    seed: int,
    config: ImplicitConfig = ImplicitConfig(),  # noqa: B008  frozen
) -> ImplicitModel:
    """Trains the head on observed outcomes.

    Raises:
        ValueError: no outcome.
        NotConverged: a fixed point wasn't found.
    """
    seen_M = candidate_means(training.quality_NM) > 0
    head = train_implicit_head(training.features_NF, training.quality_NM, config, seed, group_N=training.group_N)
    return ImplicitModel(head=head, seen_M=seen_M)

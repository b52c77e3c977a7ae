"""Item response theory: a prompt has a difficulty and asks for abilities, a candidate has abilities.

Multidimensional two-parameter logistic model (Reckase 2009) whose item parameters are read from the features, so that
it answers for new prompts (Song et al. 2025, "IRT-Router", arXiv 2506.01048).
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.baselines.neural import NeuralModel, train
from components.heads.training import FitConfig
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class IrtConfig:
    """The abilities and their training."""

    abilities: int = 16
    """Dimensions, >= 1."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.05))

    def __post_init__(self) -> None:
        if self.abilities < 1:
            raise ValueError(f"abilities must be >= 1, got {self.abilities}")


class ItemResponse(nn.Module):
    """logit of prompt x on candidate m = a(x) . theta_m - d(x), discrimination a(x) >= 0."""

    def __init__(self, inputs: int, outputs: int, abilities: int) -> None:
        super().__init__()
        self.discrimination = nn.Linear(inputs, abilities)
        self.difficulty = nn.Linear(inputs, 1)
        self.ability_MA = nn.Parameter(0.1 * torch.randn(outputs, abilities))

    def forward(self, features_NF: Tensor) -> Tensor:
        """Logits, shape (N, M)."""
        discrimination_NA = functional.softplus(self.discrimination(features_NF))
        logits_NM: Tensor = discrimination_NA @ self.ability_MA.T - self.difficulty(features_NF)
        return logits_NM


def fit(training: Board, seed: int, config: IrtConfig = IrtConfig()) -> NeuralModel:
    """Trains item maps and abilities on observed outcomes.

    Raises:
        ValueError: no outcome.
    """
    inputs, outputs = training.features_NF.shape[1], training.quality_NM.shape[1]
    return train(training, seed, lambda: ItemResponse(inputs, outputs, config.abilities), config.fit)

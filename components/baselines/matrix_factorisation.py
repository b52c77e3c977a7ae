"""Prompts and candidates in one low-dimensional space, quality by their inner product.

RouteLLM's matrix factorisation (Ong et al. 2024, arXiv 2406.18665, section 4.2), for any number of candidates and with
graded outcomes instead of pairwise preferences.
"""

from dataclasses import dataclass, field

from torch import Tensor, nn

from components.baselines.neural import NeuralModel, train
from components.heads.training import FitConfig
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorConfig:
    """The space and its training."""

    rank: int = 32
    """Dimensions, >= 1."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.05))

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank must be >= 1, got {self.rank}")


class Factors(nn.Module):
    """logit of prompt x on candidate m = v_m . (P x + p) + b_m."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.prompt = nn.Linear(inputs, rank)
        self.candidate = nn.Linear(rank, outputs)

    def forward(self, features_NF: Tensor) -> Tensor:
        """Logits, shape (N, M)."""
        logits_NM: Tensor = self.candidate(self.prompt(features_NF))
        return logits_NM


def fit(training: Board, seed: int, config: FactorConfig = FactorConfig()) -> NeuralModel:
    """Trains the factors on observed outcomes.

    Raises:
        ValueError: no outcome.
    """
    inputs, outputs = training.features_NF.shape[1], training.quality_NM.shape[1]
    return train(training, seed, lambda: Factors(inputs, outputs, config.rank), config.fit)

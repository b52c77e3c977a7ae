"""Quality estimated from a prompt and a candidate's identity, by one network for all candidates.

Intelligent Prompt Routing (Feng et al. 2025, "IPR", arXiv 2509.06274, section 3): a frozen prompt embedding joined to a
learned embedding of the candidate's identity, and a feed-forward estimator trained on squared error. Its decision, the
cheapest candidate within a tolerance of the best, is `pointsman.policy.policy.Tolerance`.
Shapes: N prompts, M candidates, F features, H hidden units.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from components.baselines.neural import NeuralModel, train
from components.heads.training import Batch, FitConfig
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class IprConfig:
    """The estimator and its training."""

    identity: int = 16
    """Dimensions of a candidate's identity embedding, >= 1."""
    hidden: int = 128
    """Hidden units, >= 1."""
    dropout: float = 0.2
    """Share of hidden units left out in training, in [0, 1)."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.02))

    def __post_init__(self) -> None:
        if self.identity < 1 or self.hidden < 1 or not 0 <= self.dropout < 1:
            raise ValueError(f"identity and hidden must be >= 1 and dropout in [0, 1), got {self}")


class QualityEstimator(nn.Module):
    """logit of prompt x on candidate m = w . g(W2 relu(W1 [x, e_m])) + b, W1 on the join as a sum of two maps."""

    def __init__(self, inputs: int, outputs: int, config: IprConfig) -> None:
        super().__init__()
        self.identity_MI = nn.Parameter(torch.randn(outputs, config.identity))
        self.prompt = nn.Linear(inputs, config.hidden)
        self.candidate = nn.Linear(config.identity, config.hidden, bias=False)
        self.estimate = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, 1),
        )

    def forward(self, features_NF: Tensor) -> Tensor:
        """Logits, shape (N, M)."""
        joined_NMH = self.prompt(features_NF)[:, None] + self.candidate(self.identity_MI)
        logits_NM: Tensor = self.estimate(joined_NMH)[..., 0]
        return logits_NM


def squared_error(module: nn.Module, batch: Batch) -> Tensor:
    """Mean squared error of predicted quality over the observed cells, shape ()."""
    features_NF, quality_NM = batch
    seen_NM = ~torch.isnan(quality_NM)
    error_NM = torch.sigmoid(module(features_NF)) - torch.nan_to_num(quality_NM)
    return (error_NM**2 * seen_NM).sum() / seen_NM.sum().clamp(min=1)


def fit(training: Board, seed: int, config: IprConfig = IprConfig()) -> NeuralModel:
    """Trains the estimator on observed outcomes.

    Raises:
        ValueError: no outcome.
    """
    inputs, outputs = training.features_NF.shape[1], training.quality_NM.shape[1]
    return train(training, seed, lambda: QualityEstimator(inputs, outputs, config), config.fit, loss=squared_error)

"""A network with one hidden layer, a logit for each candidate."""

from dataclasses import dataclass, field

from torch import Tensor, nn

from components.baselines.neural import NeuralModel, train
from components.heads.training import FitConfig
from components.tables.board import Board


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpConfig:
    """The network and its training."""

    hidden: int = 256
    """Hidden units, >= 1."""
    dropout: float = 0.3
    """Share of hidden units left out in training, in [0, 1)."""
    bias: bool = True
    """Whether there are biases; without, the logits scale with the features."""
    skip: bool = False
    """Whether a linear map from features to logits is added."""
    fit: FitConfig = field(default_factory=lambda: FitConfig(weight_decay=0.02))

    def __post_init__(self) -> None:
        if self.hidden < 1 or not 0 <= self.dropout < 1:
            raise ValueError(f"hidden must be >= 1 and dropout in [0, 1), got {self}")


def fit(training: Board, seed: int, config: MlpConfig = MlpConfig()) -> NeuralModel:
    """Trains the network on observed outcomes.

    Raises:
        ValueError: no outcome.
    """
    inputs, outputs = training.features_NF.shape[1], training.quality_NM.shape[1]

    return train(training, seed, lambda: _Network(inputs, outputs, config), config.fit)


class _Network(nn.Module):
    def __init__(self, inputs: int, outputs: int, config: MlpConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, config.hidden, bias=config.bias),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, outputs, bias=config.bias),
        )
        self.skip = nn.Linear(inputs, outputs, bias=False) if config.skip else None

    def forward(self, features_NF: Tensor) -> Tensor:
        logits_NM: Tensor = self.layers(features_NF)
        return logits_NM if self.skip is None else logits_NM + self.skip(features_NF)

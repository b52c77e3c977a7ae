"""Trains any module on tensors held in memory."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, ...]
Loss = Callable[[Batch], Tensor]
_LOG = logging.getLogger(__name__)


class Diverged(ArithmeticError):
    """The validation loss stopped being a finite number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitConfig:
    """How long and how fast to train."""

    epochs: int = 60
    """Passes over the training rows at most, >= 1."""
    batch_size: int = 256
    """Rows per step, >= 1."""
    learning_rate: float = 2e-3
    """Of AdamW, > 0."""
    weight_decay: float = 0.0
    """Of AdamW (decoupled), >= 0."""
    patience: int = 6
    """Epochs without a better validation loss before training stops, >= 1."""

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.patience) < 1:
            raise ValueError(f"epochs, batch_size and patience must be >= 1, got {self}")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError(f"learning_rate must be > 0 and weight_decay >= 0, got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitReport:
    """What happened in training."""

    epochs: int
    """Epochs run."""
    best_epoch: int
    """The epoch whose weights were kept, from 1; 0: the weights as they were before training."""
    losses: tuple[float, ...]
    """Validation loss before training and after each epoch."""

    @property
    def validation_loss(self) -> float:
        """Of the kept weights."""
        return self.losses[self.best_epoch]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's random state set to a seed inside, and as it was before outside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def fit(
    module: nn.Module,
    loss: Loss,
    training: Batch,
    validation: Batch,
    config: FitConfig,
    seed: int,
    *,
    validation_loss: Loss | None = None,
    after_step: Callable[[], None] = lambda: None,
) -> FitReport:
    """Trains `module` in place and leaves it, in eval mode, with the weights of its best validation loss.

    The weights before training compete too, so the result is never worse on validation than the start.

    Args:
        module: what is trained: those of its parameters that require a gradient.
        loss: batch -> scalar to minimise; calls `module` itself.
        training: tensors with the same number of rows, >= 1.
        validation: the same tensors of other rows; without rows, `loss` on the training rows is used instead: by a
            loss that leaves a prior out, the step that overshoots it would be the best.
        config: see FitConfig.
        seed: of the order of batches and of dropout.
        validation_loss: judged after each epoch on all validation rows at once; `loss` if not given.
        after_step: called after each optimiser step, e.g. to project weights.

    Raises:
        ValueError: no training rows.
        Diverged: the validation loss is nan or infinite.
    """
    if training[0].shape[0] == 0:
        raise ValueError("no training rows")
    from components.heads.lightning_loop import trained  # noqa: PLC0415 - seconds to import; a kept result needs none

    judged, judge = (validation, validation_loss or loss) if validation[0].shape[0] else (training, loss)
    with seeded(seed):
        report, best_state = trained(module, loss, lambda: judge(judged), training, config, seed, after_step)
    module.load_state_dict(best_state)
    module.eval()
    _LOG.info(
        "%s: %d epochs on %d rows, validation loss %.4f after epoch %d",
        type(module).__name__,
        report.epochs,
        training[0].shape[0],
        report.validation_loss,
        report.best_epoch,
    )
    return report

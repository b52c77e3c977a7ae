"""Trains any module on tensors held in memory. The only module that imports lightning."""

import copy
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import lightning
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
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


class _Batches:
    """Shuffled batches by one index per tensor; a DataLoader would cost a Python call per row."""

    def __init__(self, tensors: Batch, size: int, seed: int) -> None:
        self._tensors = tensors
        self._rows = tensors[0].shape[0]
        self._size = size
        self._generator = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return math.ceil(self._rows / self._size)

    def __iter__(self) -> Iterator[Batch]:
        for rows_B in torch.split(torch.randperm(self._rows, generator=self._generator), self._size):
            yield tuple(tensor[rows_B] for tensor in self._tensors)


class _Fit(lightning.LightningModule):  # type: ignore[misc]
    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        validation_loss: Callable[[], Tensor],
        after_step: Callable[[], None],
        config: FitConfig,
    ) -> None:
        super().__init__()
        self.module = module
        self._loss, self._validation_loss, self._after_step, self._config = loss, validation_loss, after_step, config
        self.epochs, self.best_epoch, self.losses = 0, 0, list[float]()
        self.best_state = copy.deepcopy(module.state_dict())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        trained = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        return torch.optim.AdamW(trained, lr=self._config.learning_rate, weight_decay=self._config.weight_decay)

    def training_step(self, batch: Batch, _batch_number: int) -> Tensor:
        return self._loss(batch)

    def on_train_batch_end(self, *_arguments: object) -> None:
        self._after_step()

    def on_fit_start(self) -> None:
        self.judge()

    def on_train_epoch_end(self) -> None:
        self.epochs += 1
        self.judge()
        self.trainer.should_stop = self.epochs - self.best_epoch >= self._config.patience

    def judge(self) -> None:
        self.module.eval()
        with torch.no_grad():
            loss = float(self._validation_loss())
        self.module.train()
        if not math.isfinite(loss):
            raise Diverged(f"validation loss is {loss} after epoch {self.epochs}")
        self.losses.append(loss)
        if self.epochs == 0 or loss < self.losses[self.best_epoch]:
            self.best_epoch = self.epochs
            self.best_state = copy.deepcopy(self.module.state_dict())


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning announces devices and tips on its own loggers; a training run inside a flow has nothing to announce."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.WARNING)
        with warnings.catch_warnings():
            # lightning 2.6 uses a class that torch 2.13 deprecates; nobody who trains a head can do anything about it.
            warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
            # heads this small learn faster on the processor, whatever else the machine has
            warnings.filterwarnings("ignore", message="[GT]PU available but not used")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


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
    judged, judge = (validation, validation_loss or loss) if validation[0].shape[0] else (training, loss)
    with seeded(seed), _quiet():
        run = _Fit(module, loss, lambda: judge(judged), after_step, config)
        trainer = lightning.Trainer(
            accelerator="cpu",
            devices=1,
            max_epochs=config.epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            # Named, so that a cluster's environment variables can't turn a training run into a distributed one.
            plugins=[LightningEnvironment()],
        )
        trainer.fit(run, train_dataloaders=_Batches(training, config.batch_size, seed))
    module.load_state_dict(run.best_state)
    module.eval()
    report = FitReport(epochs=run.epochs, best_epoch=run.best_epoch, losses=tuple(run.losses))
    _LOG.info(
        "%s: %d epochs on %d rows, validation loss %.4f after epoch %d",
        type(module).__name__,
        run.epochs,
        training[0].shape[0],
        report.validation_loss,
        run.best_epoch,
    )
    return report

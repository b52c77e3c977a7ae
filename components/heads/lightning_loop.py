"""Epochs of training by Lightning, which no other module imports: it takes as long to load as all else together."""

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

from components.heads.training import Batch, Diverged, FitConfig, Loss


def trained(
    module: nn.Module,
    loss: Loss,
    validation_loss: Callable[[], Tensor],
    training: Batch,
    config: FitConfig,
    seed: int,
    after_step: Callable[[], None],
) -> "Course":
    """Trains `module` in place by AdamW, and what came of it; see `training.fit`.

    Raises:
        Diverged: the validation loss is nan or infinite.
    """
    with _quiet():
        run = _Run(module, loss, validation_loss, after_step, config)
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
    return Course(epochs=run.epochs, best_epoch=run.best_epoch, losses=tuple(run.losses), best_state=run.best_state)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """How a training went."""

    epochs: int
    """Epochs run."""
    best_epoch: int
    """The epoch of least validation loss, from 1; 0: before training."""
    losses: tuple[float, ...]
    """Validation loss before training and after each epoch."""
    best_state: dict[str, Tensor]
    """The module's weights at the best epoch."""


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


class _Run(lightning.LightningModule):  # type: ignore[misc]
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

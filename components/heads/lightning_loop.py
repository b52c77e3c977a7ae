"""Epochs of training by Lightning's Fabric, which no other module imports: it takes as long to load as all else.

Its Trainer gives the same weights, and takes a third more time for each step of networks this small.
"""

import copy
import math
from collections.abc import Callable, Iterator

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments import LightningEnvironment
from torch import Tensor, nn

from components.heads.training import Batch, Diverged, FitConfig, FitReport, Loss


def trained(
    module: nn.Module,
    loss: Loss,
    validation_loss: Callable[[], Tensor],
    training: Batch,
    config: FitConfig,
    seed: int,
    after_step: Callable[[], None],
) -> tuple[FitReport, dict[str, Tensor]]:
    """Trains `module` in place by AdamW: what happened, and the weights of the best epoch; see `training.fit`.

    Raises:
        Diverged: the validation loss is nan or infinite.
    """
    # heads this small learn faster on the processor, whatever else the machine has; the environment is named, so that a
    # cluster's variables can't turn a training into a distributed one
    fabric = Fabric(accelerator="cpu", devices=1, plugins=[LightningEnvironment()])
    learnt = [parameter for parameter in module.parameters() if parameter.requires_grad]
    adamw = torch.optim.AdamW(learnt, lr=config.learning_rate, weight_decay=config.weight_decay)
    _, optimizer = fabric.setup(module, adamw)
    batches = _Batches(training, config.batch_size, seed)
    losses = [_judged(module, validation_loss, 0)]
    best_epoch, best_state = 0, copy.deepcopy(module.state_dict())
    for epoch in range(1, config.epochs + 1):
        for batch in batches:
            optimizer.zero_grad()
            fabric.backward(loss(batch))
            optimizer.step()
            after_step()
        losses.append(_judged(module, validation_loss, epoch))
        if losses[epoch] < losses[best_epoch]:
            best_epoch, best_state = epoch, copy.deepcopy(module.state_dict())
        if epoch - best_epoch >= config.patience:
            break
    return FitReport(epochs=len(losses) - 1, best_epoch=best_epoch, losses=tuple(losses)), best_state


def _judged(module: nn.Module, validation_loss: Callable[[], Tensor], epoch: int) -> float:
    module.eval()
    with torch.no_grad():
        loss = float(validation_loss())
    module.train()
    if not math.isfinite(loss):
        raise Diverged(f"validation loss is {loss} after epoch {epoch}")
    return loss


class _Batches:
    """Shuffled batches by one index per tensor; a DataLoader would cost a Python call per row."""

    def __init__(self, tensors: Batch, size: int, seed: int) -> None:
        self._tensors = tensors
        self._rows = tensors[0].shape[0]
        self._size = size
        self._generator = torch.Generator().manual_seed(seed)

    def __iter__(self) -> Iterator[Batch]:
        for rows_B in torch.split(torch.randperm(self._rows, generator=self._generator), self._size):
            yield tuple(tensor[rows_B] for tensor in self._tensors)

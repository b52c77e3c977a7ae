"""Losses of the heads, as pure functions. Shapes: N prompts, M candidates, T tasks."""

import torch
from torch import Tensor
from torch.nn import functional


def masked_bce(logits_NM: Tensor, quality_NM: Tensor) -> Tensor:
    """Mean binary cross-entropy over the observed cells, shape (); 0 where nothing is observed.

    Quality in [0, 1] is the target as it is: the minimiser is the expected quality, graded answers included.

    Args:
        logits_NM: quality logits.
        quality_NM: quality in [0, 1]; nan: not observed, without influence on the loss or its gradient.
    """
    observed_NM = (~torch.isnan(quality_NM)).to(logits_NM.dtype)
    # nan * 0 is nan, so missing targets are replaced before the loss is taken, not masked after it.
    loss = functional.binary_cross_entropy_with_logits(
        logits_NM, torch.nan_to_num(quality_NM), weight=observed_NM, reduction="sum"
    )
    return loss / observed_NM.sum().clamp(min=1)


def class_weights(task_N: Tensor, tasks: int, balance: float) -> Tensor:
    """Weight of each task in the loss, shape (T,), with mean 1 over prompts: (1 / share) ** balance.

    Args:
        task_N: task of each prompt, >= 0.
        tasks: T.
        balance: in [0, 1]; 0: every prompt counts the same, 1: every task counts the same.
    """
    count_T = torch.bincount(task_N, minlength=tasks).to(torch.float32)
    weight_T = count_T.clamp(min=1) ** -balance
    return weight_T / ((weight_T * count_T).sum() / count_T.sum().clamp(min=1))

"""Trained heads as plain arrays: what training returns, the bundle stores and a gateway evaluates without torch.

Shapes: N prompts, F features, H hidden units, T tasks, M candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]

BLOCK = 64
"""Prompts whose task-specific weights are gathered at a time."""


def relu(x: Floats32) -> Floats32:
    """max(x, 0), element by element.

    >>> relu(np.array([-1.0, 2.0], dtype=np.float32)).tolist()
    [0.0, 2.0]
    """
    return np.maximum(x, 0)


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    # exp of a non-positive number never overflows
    shrink = np.exp(-np.abs(np.asarray(logits, dtype=np.float64)))
    return np.where(logits >= 0, 1 / (1 + shrink), shrink / (1 + shrink))


def softmax(logits_NK: Floats32) -> Floats32:
    """Rows that sum to one, shape (N, K); K may be 0."""
    shifted_NK = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(shifted_NK / shifted_NK.sum(axis=1, keepdims=True), dtype=np.float32)


def log_odds(quality: NDArray[np.floating]) -> NDArray[np.float32]:
    """log(q / (1 - q)) with q held in [0.01, 0.99]: the inverse of `sigmoid`, but never beyond odds of 99 to 1.

    >>> log_odds(np.array([0.5, 0.0, 1.0])).round(2)
    array([ 0. , -4.6,  4.6], dtype=float32)
    """
    held = np.clip(quality, 0.01, 0.99)
    return np.asarray(np.log(held / (1 - held)), dtype=np.float32)


def soft_quality(
    posterior_NT: NDArray[np.floating], quality_TM: NDArray[np.float64], general_M: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Rows of a task table averaged by the posterior, shape (N, M); the general means where there are no tasks.

    >>> soft_quality(np.array([[0.75, 0.25]]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.5, 0.5])).tolist()
    [[0.75, 0.25]]
    """
    if quality_TM.shape[0] == 0:
        return np.tile(general_M, (posterior_NT.shape[0], 1))
    return np.asarray(posterior_NT.astype(np.float64) @ quality_TM)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierWeights:
    """Stage 1: a two-layer network from features to task logits."""

    hidden_FH: Floats32
    hidden_bias_H: Floats32
    task_HT: Floats32
    task_bias_T: Floats32
    temperature: Floats32
    """Shape (), > 0: calibrates the posterior."""
    confidence_floor: Floats32
    """Shape (), in [0, 1]: below it a prompt is unassigned."""

    def posterior(self, features_NF: Floats32) -> Floats32:
        """Calibrated probability of each task, shape (N, T)."""
        hidden_NH = relu(features_NF @ self.hidden_FH + self.hidden_bias_H)
        return softmax((hidden_NH @ self.task_HT + self.task_bias_T) / self.temperature)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExpertWeights:
    """Stage 2: shared trunk, one general head a candidate, and task-specific heads for each task's candidates.

    Logits are differences from the log odds of stage 1's expected quality.
    """

    trunk_FH: Floats32
    trunk_bias_H: Floats32
    general_HM: Floats32
    general_bias_M: Floats32
    task_TMH: Floats32
    """Task-specific head weights, added to the general head's; zero where a task has no head for a candidate."""
    task_bias_TM: Floats32
    head_TM: NDArray[np.bool_]
    """Where a task has its own head."""

    def trunk(self, features_NF: Floats32) -> Floats32:
        """Shared representation, shape (N, H)."""
        return relu(features_NF @ self.trunk_FH + self.trunk_bias_H)

    def general_logits(self, features_NF: Floats32) -> Floats32:
        """Quality logits of the general heads, shape (N, M)."""
        return self.trunk(features_NF) @ self.general_HM + self.general_bias_M

    def logits(self, features_NF: Floats32, task_N: NDArray[np.int32]) -> Floats32:
        """Quality logits, shape (N, M): task-specific where a prompt has a task, general where task_N is -1."""
        trunk_NH = self.trunk(features_NF)
        general_NM = trunk_NH @ self.general_HM + self.general_bias_M
        if self.task_TMH.shape[0] == 0:
            return general_NM
        if task_N.shape[0] == 1:
            # a lone prompt's weights are looked at, not gathered
            task = int(task_N[0])
            return (
                general_NM if task < 0 else general_NM + (self.task_TMH[task] @ trunk_NH[0] + self.task_bias_TM[task])
            )
        known_N = np.maximum(task_N, 0)
        special_NM = self.task_bias_TM[known_N]
        # Block by block, so that the gathered weights stay in the processor's cache: three times faster.
        for start in range(0, trunk_NH.shape[0], BLOCK):
            rows = slice(start, start + BLOCK)
            special_NM[rows] += np.matmul(self.task_TMH[known_N[rows]], trunk_NH[rows, :, None])[:, :, 0]
        return np.where((task_N >= 0)[:, None], general_NM + special_NM, general_NM).astype(np.float32)

"""What a call will cost before it is made: prices times expected tokens. Average prices mislead.

Shapes: N prompts, F features, T tasks, M candidates.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tasks = NDArray[np.int32]
TOKENS_PER_MTOK = 1e6


class CostSource(IntEnum):
    """What a candidate's expected cost rests on, weakest first."""

    UNKNOWN = 0
    """Nothing: its cost is nan."""
    MEAN_COST = 1
    """Mean logged cost of its task, shrunk to the candidate's: no tokens or no prices."""
    ASSUMED_TOKENS = 2
    """Its prices, and output tokens of the other candidates on the task; a usual number where none has any."""
    MEAN_TOKENS = 3
    """Mean output tokens of its task, shrunk to the candidate's: too few prompts for a regression."""
    REGRESSION = 4
    """Output tokens by task and features."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostHead:
    """Expected output tokens and USD of each candidate; log1p(tokens) = bias + task + features x weights + noise."""

    weights_FM: NDArray[np.float32]
    """Zero where a candidate has no regression."""
    bias_M: Floats
    task_TM: Floats
    """A task's difference from the candidate, in log tokens; zero where it has none."""
    low_M: Floats
    high_M: Floats
    """Range of log tokens seen in training: the exponential must not run away on strange prompts."""
    smear_M: Floats
    smear_TM: Floats
    """Mean of exp(residual), overall and by task: what exp(mean of logs) lacks to the mean."""
    mean_cost_M: Floats
    mean_cost_TM: Floats
    """Mean logged USD per call; nan where unknown."""
    input_usd_per_mtok_M: Floats
    output_usd_per_mtok_M: Floats
    source_M: NDArray[np.int64]
    """CostSource of each candidate."""

    def log_tokens(self, features_NF: NDArray[np.float32], task_N: Tasks) -> Floats:
        """Predicted log1p(output tokens), shape (N, M); nan where tokens are unknown."""
        predicted_NM = features_NF @ self.weights_FM + self.bias_M + self._by_task(self.task_TM, 0.0, task_N)
        held_NM = np.clip(predicted_NM, self.low_M, self.high_M)
        return np.where(self.source_M >= CostSource.ASSUMED_TOKENS, held_NM, np.nan)

    def output_tokens(self, features_NF: NDArray[np.float32], task_N: Tasks) -> Floats:
        """Expected output tokens, >= 0, shape (N, M); nan where unknown.

        The mean of logs is brought back by Duan's smearing (1983, doi 10.1080/01621459.1983.10478017).
        """
        smear_NM = self._by_task(self.smear_TM, self.smear_M, task_N)
        return np.maximum(np.exp(self.log_tokens(features_NF, task_N)) * smear_NM - 1, 0)

    def cost_usd(self, features_NF: NDArray[np.float32], input_tokens_N: Floats, task_N: Tasks) -> Floats:
        """Expected USD per call, shape (N, M): input tokens x price + expected output tokens x price; or nan."""
        priced_NM = (
            input_tokens_N[:, None] * self.input_usd_per_mtok_M
            + self.output_tokens(features_NF, task_N) * self.output_usd_per_mtok_M
        ) / TOKENS_PER_MTOK
        return np.where(
            self.source_M >= CostSource.ASSUMED_TOKENS,
            priced_NM,
            self._by_task(self.mean_cost_TM, self.mean_cost_M, task_N),
        )

    def _by_task(self, table_TM: Floats, otherwise_M: Floats | float, task_N: Tasks) -> Floats:
        """Rows of a task table, shape (N, M), with the candidate's value where a prompt has no task."""
        shape_NM = (task_N.size, self.bias_M.size)
        if table_TM.shape[0] == 0:
            return np.broadcast_to(np.asarray(otherwise_M, dtype=np.float64), shape_NM)
        return np.where((task_N >= 0)[:, None], table_TM[np.maximum(task_N, 0)], otherwise_M)

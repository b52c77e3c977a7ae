"""How long a call will take before it is made, by the tokens that it reads and is expected to write.

Shapes: N prompts, M candidates, S tasks and one row more for prompts without one, which index -1 reads.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatencyHead:
    """log(ms) = a task's centre + slope x log1p(input tokens) + what calls differ by; nan where nothing is known."""

    centre_SM: Floats
    """Log ms by the output tokens that are usual on each task."""
    input_M: Floats
    """Slope on log1p(input tokens)."""
    half_M: Floats
    """Log ms above the rest that half of the calls keep within."""
    most_M: Floats
    """The same of 95 % of the calls."""

    def __post_init__(self) -> None:
        if self.centre_SM.ndim != 2 or self.centre_SM.shape[0] < 1:
            raise ValueError(
                f"latency.centre_SM must have a row for each task and one more, got {self.centre_SM.shape}"
            )
        for entry in fields(self):
            array = getattr(self, entry.name)
            if array.dtype.kind != "f" or array.shape[-1:] != self.centre_SM.shape[1:]:
                raise ValueError(f"latency.{entry.name} has type {array.dtype} and shape {array.shape}")
            if np.isinf(array).any():
                raise ValueError(f"latency.{entry.name} has infinite values")

    def median_ms(self, task_N: NDArray[np.int32], input_tokens_N: NDArray[np.integer]) -> Floats:
        """What half of such calls take at most, shape (N, M); nan: unknown."""
        return np.asarray(np.exp(self._rest(task_N, input_tokens_N) + self.half_M), dtype=np.float64)

    def most_ms(self, task_N: NDArray[np.int32], input_tokens_N: NDArray[np.integer]) -> Floats:
        """What 95 % of such calls take at most, shape (N, M); nan: unknown."""
        return np.asarray(np.exp(self._rest(task_N, input_tokens_N) + self.most_M), dtype=np.float64)

    def _rest(self, task_N: NDArray[np.int32], input_tokens_N: NDArray[np.integer]) -> Floats:
        return np.asarray(self.centre_SM[task_N] + np.log1p(input_tokens_N)[:, None] * self.input_M)

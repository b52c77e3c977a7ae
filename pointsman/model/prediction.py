"""What the router believes about each prompt and candidate before a policy chooses. Shapes: N prompts, M candidates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Calibrated beliefs of both stages together."""

    quality_NM: NDArray[np.float64]
    """Calibrated expected quality, in [0, 1]."""
    cost_usd_NM: NDArray[np.float64]
    """Expected USD per call; nan where no cost was ever known for a candidate."""
    task_N: NDArray[np.int32]
    """Task assigned to each prompt; -1: unassigned, the general heads decide."""
    margin_N: NDArray[np.float64]
    """Quality by which a candidate must beat the fallback on each prompt, >= 0."""
    novel_N: NDArray[np.bool_]
    """The prompt is farther from all training prompts than the novelty floor: no advantage over the fallback counts."""
    supported_NM: NDArray[np.bool_] | None = None
    """Whether a candidate has outcomes on the prompt's task and may be chosen; None: all have."""
    input_tokens_N: NDArray[np.integer[Any]] | None = None
    """Tokens that a candidate is sent, by the router's tokenizer; None: not counted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """What a policy chose for each prompt."""

    candidate_N: NDArray[np.intp]
    """Index of the chosen candidate, in [0, M)."""
    reason_N: NDArray[np.str_]
    """'task', 'general', 'doubt' or 'novel', see `pointsman.policy.policy.REASONS`."""

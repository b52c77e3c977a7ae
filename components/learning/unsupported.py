"""Candidates without any outcome on a task aren't chosen there. Shapes: N prompts, T tasks, M candidates."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.tables.board import Board
from pointsman.model.weights import ExpertWeights

Floats = NDArray[np.float64]
NEVER_LOGIT = -30.0
"""Added to a head's logit: a quality of nothing, whatever the other parts say."""


def outcome_counts(board: Board, tasks: int) -> NDArray[np.int64]:
    """Outcomes of each candidate on each task, shape (T, M)."""
    member_TN = board.task_N[None, :] == np.arange(tasks)[:, None]
    return np.asarray(member_TN.astype(np.int64) @ board.observed_NM, dtype=np.int64)


def without_unsupported(
    table_quality_TM: Floats, experts: ExpertWeights, count_TM: NDArray[np.integer]
) -> tuple[Floats, ExpertWeights]:
    """The table and heads with nothing expected of a candidate on the tasks on which it has no outcome.

    What is predicted there would be its mean on other tasks, which says nothing: a model that was never tried on a kind
    of prompt, and is best elsewhere, would be sent all of it. A task on which nobody has outcomes is left as it is.

    Args:
        table_quality_TM: expected quality.
        experts: heads.
        count_TM: outcomes of each candidate on each task.
    """
    never_TM = (count_TM == 0) & (count_TM > 0).any(axis=1, keepdims=True)
    if not never_TM.any():
        return table_quality_TM, experts
    bias_TM = experts.task_bias_TM + np.where(never_TM, NEVER_LOGIT, 0.0)
    return np.where(never_TM, 0.0, table_quality_TM), replace(
        experts,
        task_bias_TM=bias_TM.astype(experts.task_bias_TM.dtype),
        head_TM=experts.head_TM | never_TM,
    )

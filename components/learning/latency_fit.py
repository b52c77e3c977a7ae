"""Latency of each candidate by tokens, from logged calls.

Shapes: N prompts, M candidates; T tasks, S: one row more; K calls of one candidate.
"""

import numpy as np
from numpy.typing import NDArray

from components.tables.board import Board
from pointsman.model.latency import LatencyHead
from pointsman.model.router_model import RouterModel

Floats = NDArray[np.float64]
LEAST = 30
"""Timed calls of a candidate from which its latency is believed."""
_PRIOR = 10.0
"""Calls' worth by which a task's usual output tokens shrink to the candidate's."""
_RIDGE = 1.0


def latency_of(board: Board, model: RouterModel) -> LatencyHead | None:
    """Of the calls on a board, by the tasks that the router sees in its prompts; None: nobody was timed."""
    return fit_latency(
        board.latency_ms_NM,
        board.input_tokens_N,
        board.output_tokens_NM,
        model.tasks(board.features_NF),
        model.task_quality_TM.shape[0],
    )


def fit_latency(
    latency_ms_NM: Floats,
    input_tokens_N: Floats,
    output_tokens_NM: Floats,
    task_N: NDArray[np.int32],
    tasks: int,
) -> LatencyHead | None:
    """Log latency by least squares on log tokens read and written, each candidate by itself; None: nobody was timed.

    When a call is to be decided its output tokens aren't known: the task's usual ones stand in for them, and the
    quantiles are those of the residuals that are left then.

    Args:
        latency_ms_NM: of each call; nan where there was none, or it wasn't timed.
        input_tokens_N: of each prompt.
        output_tokens_NM: of each answer; nan where unknown.
        task_N: -1 where a prompt has none.
        tasks: how many there are.
    """
    candidates = latency_ms_NM.shape[1]
    # the last row is for prompts without a task, which index -1 reads
    centre_SM = np.full((tasks + 1, candidates), np.nan)
    input_M, half_M, most_M = (np.full(candidates, np.nan) for _ in range(3))
    read_N = np.log1p(input_tokens_N)
    for m in range(candidates):
        rows = np.flatnonzero(latency_ms_NM[:, m] > 0)
        if rows.size < LEAST:
            continue
        written_K = np.log1p(output_tokens_NM[rows, m])
        usual = float(np.nanmean(written_K)) if np.isfinite(written_K).any() else 0.0
        written_K = np.where(np.isfinite(written_K), written_K, usual)
        log_K = np.log(latency_ms_NM[rows, m])
        intercept, by_read, by_written = _line(np.stack([read_N[rows], written_K], axis=1), log_K)
        usual_S = _by_task(written_K, task_N[rows], tasks, usual)
        centre_SM[:, m] = intercept + by_written * usual_S
        input_M[m] = by_read
        left_K = log_K - centre_SM[task_N[rows], m] - by_read * read_N[rows]
        half_M[m], most_M[m] = np.quantile(left_K, (0.5, 0.95))
    if np.isnan(input_M).all():
        return None
    return LatencyHead(centre_SM=centre_SM, input_M=input_M, half_M=half_M, most_M=most_M)


def _line(input_K2: Floats, log_K: Floats) -> tuple[float, float, float]:
    """Intercept and two slopes, the slopes held near 0 where there is little to tell them by."""
    mean_2, mean = input_K2.mean(axis=0), log_K.mean()
    centred_K2 = input_K2 - mean_2
    gram_22 = centred_K2.T @ centred_K2 + _RIDGE * np.eye(2)
    slope_2 = np.linalg.solve(gram_22, centred_K2.T @ (log_K - mean))
    return float(mean - mean_2 @ slope_2), float(slope_2[0]), float(slope_2[1])


def _by_task(value_K: Floats, task_K: NDArray[np.int32], tasks: int, usual: float) -> Floats:
    """Mean by task, and in the last row of prompts without one, each shrunk to the usual, shape (S,)."""
    row_K = np.where(task_K < 0, tasks, task_K)
    count_S = np.bincount(row_K, minlength=tasks + 1)
    total_S = np.bincount(row_K, weights=value_K, minlength=tasks + 1)
    return np.asarray((total_S + _PRIOR * usual) / (count_S + _PRIOR), dtype=np.float64)

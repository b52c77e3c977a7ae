"""How well partitions route, and which of them can't be told apart by it.

Shapes: K validation prompts, M candidates, T tasks, S partitions.
"""

import numpy as np
from numpy.typing import NDArray

from components.tasks.table import TaskTable

TIE_ERRORS = 2.0


def routing_regret(
    table: TaskTable, task_K: NDArray[np.integer], quality_KM: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Quality lost to the oracle by sending each prompt to the best candidate of its task's row.

    Unassigned prompts follow the general means. Both choice and oracle range over the candidates observed on the
    prompt, since nothing is known of the others; prompts without any outcome are left out.

    Args:
        table: of a partition.
        task_K: task of each prompt, -1 unassigned, shape (K,).
        quality_KM: quality, nan where missing, shape (K, M).

    Returns:
        Regret >= 0 of the prompts with outcomes, shape (<= K,).
    """
    row_TM = np.vstack([table.quality_TM, table.general_M[None, :]])
    seen_KM = ~np.isnan(quality_KM)
    choice_K = np.where(seen_KM, row_TM[task_K], -np.inf).argmax(axis=1)
    known_K = seen_KM.any(axis=1)
    oracle_K = np.where(seen_KM, quality_KM, -np.inf).max(axis=1)
    got_K = quality_KM[np.arange(quality_KM.shape[0]), choice_K]
    return np.asarray((oracle_K - got_K)[known_K], dtype=np.float64)


def ties(regret_SK: NDArray[np.float64], allowed_S: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Trials, among those allowed, within two standard errors of the least mean regret; shape (S,).

    The error is that of the paired difference to the best trial, prompt by prompt: trials share their prompts, and the
    spread that all of them share says nothing about which is better.

    >>> ties(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1], [0.5, 0.5, 0.5]]), np.array([True, True, True])).tolist()
    [True, True, False]
    """
    if not allowed_S.any():
        return np.zeros(allowed_S.shape, dtype=bool)
    best = int(np.where(allowed_S, regret_SK.mean(axis=1), np.inf).argmin())
    excess_SK = regret_SK - regret_SK[best]
    error_S = excess_SK.std(axis=1) / np.sqrt(max(1, regret_SK.shape[1] - 1))
    return np.asarray(allowed_S & (excess_SK.mean(axis=1) <= TIE_ERRORS * error_S + 1e-12))

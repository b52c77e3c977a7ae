"""How well partitions route, and which of them can't be told apart by it.

Shapes: K validation prompts, M candidates, T tasks, S partitions.
"""

import numpy as np
from numpy.typing import NDArray

from components.tables.groups import design_effects
from components.tasks.table import TaskTable

TIE_ERRORS = 2.0


def expected_quality(table: TaskTable, share_KT1: NDArray[np.floating]) -> NDArray[np.float64]:
    """What a task table expects of prompts that lie between tasks, shape (K, M).

    Args:
        table: of a partition.
        share_KT1: how much each prompt belongs to each task and, last, to none; rows sum to one, shape (K, T + 1).
            An unassigned prompt follows the general means.
    """
    return np.asarray(share_KT1 @ np.vstack([table.quality_TM, table.general_M[None, :]]), dtype=np.float64)


def routing_regret(expected_KM: NDArray[np.floating], quality_KM: NDArray[np.floating]) -> NDArray[np.float64]:
    """Quality lost to the oracle by sending each prompt to the candidate of which most is expected.

    Both choice and oracle range over the candidates observed on the prompt, since nothing is known of the others;
    prompts without any outcome are left out.

    Args:
        expected_KM: expected quality, shape (K, M).
        quality_KM: quality, nan where missing, shape (K, M).

    Returns:
        Regret >= 0 of the prompts with outcomes, shape (<= K,).
    """
    seen_KM = ~np.isnan(quality_KM)
    choice_K = np.where(seen_KM, expected_KM, -np.inf).argmax(axis=1)
    known_K = seen_KM.any(axis=1)
    oracle_K = np.where(seen_KM, quality_KM, -np.inf).max(axis=1)
    got_K = quality_KM[np.arange(quality_KM.shape[0]), choice_K]
    return np.asarray((oracle_K - got_K)[known_K], dtype=np.float64)


def advantage_error(predicted_NM: NDArray[np.floating], quality_NM: NDArray[np.floating]) -> float:
    """Mean squared error of each candidate's advantage over the prompt's mean, over observed cells.

    How hard a prompt is doesn't matter to the choice between candidates; only what sets them apart does. The quality of
    an argmax measures the same, but a few prompts decide it; this uses every cell. nan without two outcomes.

    >>> advantage_error(np.array([[0.9, 0.5]]), np.array([[0.5, 0.1]])) < 1e-12
    True
    """
    seen_NM = np.isfinite(quality_NM) & (np.isfinite(quality_NM).sum(axis=1, keepdims=True) >= 2)
    error_NM = np.where(seen_NM, predicted_NM - quality_NM, 0.0)
    mean_N1 = error_NM.sum(axis=1, keepdims=True) / np.maximum(seen_NM.sum(axis=1, keepdims=True), 1)
    cells = int(seen_NM.sum())
    return float((np.where(seen_NM, error_NM - mean_N1, 0.0) ** 2).sum() / cells) if cells else float("nan")


def ties(
    regret_SK: NDArray[np.float64],
    allowed_S: NDArray[np.bool_],
    errors: float = TIE_ERRORS,
    group_K: NDArray[np.integer] | None = None,
) -> NDArray[np.bool_]:
    """Trials, among those allowed, within so many standard errors of the least mean regret; shape (S,).

    The error is that of the paired difference to the best trial, prompt by prompt: trials share their prompts, and the
    spread that all of them share says nothing about which is better.

    Args:
        regret_SK: of each trial on each prompt.
        allowed_S: which trials count.
        errors: >= 0.
        group_K: prompts that belong together, such as turns of a conversation; None: all are independent.

    >>> ties(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1], [0.5, 0.5, 0.5]]), np.array([True, True, True])).tolist()
    [True, True, False]
    """
    if not allowed_S.any():
        return np.zeros(allowed_S.shape, dtype=bool)
    best = int(np.where(allowed_S, regret_SK.mean(axis=1), np.inf).argmin())
    excess_SK = regret_SK - regret_SK[best]
    effect_S = design_effects(excess_SK.T, group_K)
    error_S = excess_SK.std(axis=1) / np.sqrt(max(1, regret_SK.shape[1] - 1)) * np.sqrt(effect_S)
    return np.asarray(allowed_S & (excess_SK.mean(axis=1) <= errors * error_S + 1e-12))

"""How far expected tokens and costs are from the logged ones. Shapes: N prompts, M candidates."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_r2(predicted_NM: Floats, tokens_NM: Floats) -> float:
    """Share of the variance of log1p(tokens) within candidates that is predicted; nan where nothing is known.

    Args:
        predicted_NM: predicted log1p(tokens), nan where there is no prediction, shape (N, M).
        tokens_NM: logged tokens >= 0, nan where unknown, shape (N, M).

    >>> log_r2(np.log1p(np.array([[1.0], [9.0]])), np.array([[1.0], [9.0]]))
    1.0
    """
    log_NM = np.log1p(tokens_NM)
    known_NM = np.isfinite(log_NM) & np.isfinite(predicted_NM)
    count_M = known_NM.sum(axis=0)
    mean_M = np.where(known_NM, log_NM, 0).sum(axis=0) / np.maximum(count_M, 1)
    total = float((np.where(known_NM, log_NM - mean_M, 0) ** 2).sum())
    left = float((np.where(known_NM, log_NM - predicted_NM, 0) ** 2).sum())
    return 1 - left / total if total > 0 else float("nan")


def total_error(expected_NM: Floats, logged_NM: Floats) -> float:
    """Mean over candidates of |expected - logged| / logged, of totals over prompts where both are known.

    nan where no candidate has logged costs.

    >>> total_error(np.array([[1.0], [2.0]]), np.array([[2.0], [np.nan]]))
    0.5
    """
    known_NM = np.isfinite(logged_NM) & np.isfinite(expected_NM)
    logged_M = np.where(known_NM, logged_NM, 0).sum(axis=0)
    expected_M = np.where(known_NM, expected_NM, 0).sum(axis=0)
    paid_M = logged_M > 0
    if not paid_M.any():
        return float("nan")
    return float(np.mean(np.abs(expected_M - logged_M)[paid_M] / logged_M[paid_M]))

"""Linear answers: least squares, ridge regression, and HAR. Shapes: N samples, F inputs, M outputs."""

from collections.abc import Callable

import numpy as np

from components.extrapolation.problem import Array

HAR_SPANS = (1, 5, 22)
"""Days, weeks and months of trading."""


def least_squares(inputs_NF: Array, targets_NM: Array, *, ridge: float = 0.0) -> Callable[[Array], Array]:
    """The map u -> W u + c of least squared error, plus ridge * N * ||W||^2 (the intercept is free).

    Args:
        inputs_NF: finite.
        targets_NM: finite.
        ridge: >= 0.

    Raises:
        ValueError: ridge is negative.

    >>> predict = least_squares(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]]))
    >>> predict(np.array([[10.0]])).round(6)
    array([[21.]])
    """
    if not ridge >= 0:
        raise ValueError(f"ridge must be >= 0, got {ridge}")
    centre_F, centre_M = inputs_NF.mean(axis=0), targets_NM.mean(axis=0)
    inputs_NF, targets_NM = inputs_NF - centre_F, targets_NM - centre_M
    if ridge:
        stretched = np.sqrt(ridge * len(inputs_NF)) * np.eye(inputs_NF.shape[1])
        inputs_NF = np.vstack([inputs_NF, stretched])
        targets_NM = np.vstack([targets_NM, np.zeros((len(stretched), targets_NM.shape[1]))])
    weight_FM = np.linalg.lstsq(inputs_NF, targets_NM, rcond=None)[0]
    return lambda unseen_NF: (unseen_NF - centre_F) @ weight_FM + centre_M


def har(inputs_NF: Array) -> Array:
    """Means of the last day, week and month of a window (Corsi 2009, J. Financial Econometrics 7(2), eq. 8).

    Raises:
        ValueError: the window is shorter than a month.

    >>> har(np.arange(22.0)[None])
    array([[21. , 19. , 10.5]])
    """
    if inputs_NF.shape[1] < HAR_SPANS[-1]:
        raise ValueError(f"HAR needs windows of {HAR_SPANS[-1]} days, got {inputs_NF.shape[1]}")
    return np.column_stack([inputs_NF[:, -span:].mean(axis=1) for span in HAR_SPANS])

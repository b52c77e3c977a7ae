"""How much of what candidates promise is counted. Shapes: N prompts, M candidates, T tasks."""

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Prediction

Floats = NDArray[np.float64]
EVERYTHING = 1.0
"""The margin within which every advantage is: quality is in [0, 1]."""


def doubt(posterior_NT: NDArray[np.floating]) -> Floats:
    """How unsure stage 1 is of each prompt's task: 1 - its highest probability, shape (N,); 1 without tasks.

    >>> doubt(np.array([[0.75, 0.25], [0.5, 0.5]])).tolist()
    [0.25, 0.5]
    """
    if posterior_NT.shape[1] == 0:
        return np.ones(posterior_NT.shape[0])
    return np.asarray(1 - posterior_NT.max(axis=1), dtype=np.float64)


def excess(distance_N: Floats, usual_distance: float) -> Floats:
    """How much farther than usual prompts are from all that the router learnt from, >= 0, shape (N,).

    >>> excess(np.array([0.25, 0.75]), 0.5).tolist()
    [0.0, 0.25]
    """
    return np.maximum(distance_N - usual_distance, 0.0)


def counted(quality_NM: Floats, margin_N: Floats, fallback: int) -> Floats:
    """Quality as a policy counts it, shape (N, M): an advantage over the fallback within the margin counts as none.

    Such a candidate counts a hair less than the fallback, which is so left only on evidence, or because another is
    cheaper: what a cheap candidate falls short by is counted as predicted. Prompts without a margin stay as they are,
    whatever company they are in.

    Args:
        quality_NM: predicted quality.
        margin_N: quality by which a candidate must beat the fallback, >= 0.
        fallback: index of the best single candidate.

    >>> counted(np.array([[0.5, 0.54, 0.6, 0.4]]), np.array([0.05]), 0).round(3).tolist()
    [[0.5, 0.5, 0.6, 0.4]]
    """
    if not margin_N.any():
        return quality_NM
    bar_N1, margin_N1 = quality_NM[:, fallback, None], margin_N[:, None]
    unproven_NM = (margin_N1 > 0) & (quality_NM >= bar_N1) & (quality_NM <= bar_N1 + margin_N1)
    unproven_NM[:, fallback] = False
    return np.where(unproven_NM, np.nextafter(bar_N1, -1), quality_NM)


def router_scores(prediction: Prediction, fallback: int) -> Floats:
    """Predicted quality in which each row's best is what the policy 'best' chooses, shape (N, M).

    Less cost / price, what the policy `tradeoff` chooses, where all candidates have outcomes on a prompt's task: what
    isn't proven doesn't count, on novel prompts no promise at all, and what is cheaper may still win.
    """
    margin_N, supported_NM = prediction.margin_N, prediction.supported_NM
    margin_N = np.where(prediction.novel_N, np.maximum(margin_N, EVERYTHING), margin_N)
    if supported_NM is None:
        return counted(prediction.quality_NM, margin_N, fallback)
    supported_NM = supported_NM | ~supported_NM.any(axis=1, keepdims=True)
    score_NM = counted(prediction.quality_NM, np.where(supported_NM[:, fallback], margin_N, 0.0), fallback)
    return np.where(supported_NM, score_NM, score_NM - 2)

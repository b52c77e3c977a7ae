"""How far an estimate moves if the propensities are wrong. Shapes: N prompts."""

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.estimators import Chosen


def sensitivity(chosen: Chosen, gamma: float) -> tuple[float, float]:
    """Least and greatest doubly robust value if the odds of each logged choice are wrong by a factor up to gamma.

    The marginal sensitivity model (Tan 2006; Zhao, Small, Bhattacharya 2019, arXiv 1711.11286, section 4): the weight
    1/p of a prompt may be anything between 1 + (1/p - 1)/gamma and 1 + (1/p - 1) gamma. The residuals' weighted mean is
    self-normalised, as there, so that gamma = 1 gives the self-normalised form of the estimate. A prompt that is
    observed for certain (p = 1) isn't in doubt.

    Args:
        chosen: the log at the judged policy's choices.
        gamma: >= 1.

    Returns:
        (least, greatest). nan twice where a prediction is unknown.

    Raises:
        ValueError: gamma < 1.
    """
    if not gamma >= 1:
        raise ValueError(f"gamma must be >= 1, got {gamma}")
    base = float(chosen.predicted_N.mean())
    seen_N = chosen.weight_N > 0
    if not seen_N.any():
        return base, base
    odds = chosen.weight_N[seen_N] - 1
    residual = chosen.outcome_N[seen_N] - chosen.predicted_N[seen_N]
    low, high = 1 + odds / gamma, 1 + odds * gamma
    return base + _extreme(residual, low, high, least=True), base + _extreme(residual, low, high, least=False)


def _extreme(
    residual: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], *, least: bool
) -> float:
    """Extreme weighted mean with each weight in [low, high]: the weights change sides once in order of the values."""
    order = np.argsort(residual if not least else -residual, kind="stable")
    value, low, high = residual[order], low[order], high[order]
    # the first k have the low weight, the others the high one; k from 0 to all
    above = np.concatenate([np.cumsum((high * value)[::-1])[::-1], [0.0]])
    below = np.concatenate([[0.0], np.cumsum(low * value)])
    weight = np.concatenate([np.cumsum(high[::-1])[::-1], [0.0]]) + np.concatenate([[0.0], np.cumsum(low)])
    means = (above + below) / weight
    return float(means.min() if least else means.max())

"""What a method reaches at every willingness to pay. Shapes: N prompts, C candidates, P operating points."""

import numpy as np
from numpy.typing import NDArray

_SWEEP = 40

Floats = NDArray[np.float64]


def operating_points(
    predicted_NC: Floats, quality_NC: Floats, cost_NC: Floats, expected_NC: Floats | None = None
) -> tuple[Floats, Floats]:
    """Mean cost (USD) and mean quality of the tradeoff policy, from the cheapest candidate to the best quality.

    Decisions see what the method expects of each call's cost, or each candidate's mean; never the call's own cost,
    which would tell how long the answer will be.

    Args:
        predicted_NC: predicted quality; nan is never chosen.
        quality_NC: observed quality, complete.
        cost_NC: USD per call, complete.
        expected_NC: USD per call as the method expects it; each candidate's mean if not given.

    Returns:
        Shape (P,) each; the first is the cheapest candidate on every prompt, the second the best predicted one.
    """
    mean_C = cost_NC.mean(axis=0)
    expected = np.broadcast_to(mean_C, cost_NC.shape) if expected_NC is None else expected_NC
    believed = np.where(np.isnan(predicted_NC), -np.inf, predicted_NC)
    choices = [np.full(len(quality_NC), int(mean_C.argmin())), believed.argmax(axis=1)]
    spread = max(float(mean_C.max() - mean_C.min()), 1e-12)
    choices += [(believed - expected / price).argmax(axis=1) for price in np.geomspace(1e-3, 1e3, _SWEEP) * spread]
    row = np.arange(len(quality_NC))
    return (
        np.array([cost_NC[row, choice].mean() for choice in choices]),
        np.array([quality_NC[row, choice].mean() for choice in choices]),
    )

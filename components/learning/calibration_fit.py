"""Fits the calibration of predicted quality on held-out predictions.

Shapes: N prompts, M candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pointsman.model.calibration import FLOOR, Calibration, identity, logit
from pointsman.model.weights import sigmoid

Floats = NDArray[np.float64]
SMALLEST_SLOPE = 0.01
"""Calibration never reverses nor erases an order."""
SMALLEST_SPREAD = 1e-6
"""Variance between candidates below which they share one calibration."""
FISHER = 0.25
"""Most that one cell can tell about a logit: p (1 - p) at p = 1/2; turns pseudo-cells into a prior's precision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationConfig:
    """How much evidence calibration asks for."""

    minimum_cells: int = 50
    """Observed (prompt, candidate) cells below which nothing is calibrated, >= 1."""
    strength: float = 20.0
    """Cells of evidence that weigh as much as changing nothing, > 0."""

    def __post_init__(self) -> None:
        if self.minimum_cells < 1:
            raise ValueError(f"minimum_cells must be >= 1, got {self.minimum_cells}")
        if not 0 < self.strength < float("inf"):
            raise ValueError(f"strength must be > 0 cells, got {self.strength}")


def fit_calibration(predicted_NM: Floats, quality_NM: Floats, config: CalibrationConfig) -> Calibration:
    """Slope and intercept of each candidate by penalised maximum likelihood, shrunk to a fit shared by all.

    The shared fit comes first, shrunk to the identity. Each candidate's own is then drawn to it as hard as the
    candidates' differences look like noise (DerSimonian and Laird 1986, doi 10.1016/0197-2456(86)90046-2). Free fits
    would undo the router: a few hundred prompts leave an error of .02 in each candidate's level, which is as much as
    good candidates differ by, and the choice picks the luckiest. A candidate without outcomes has the shared fit:
    giving it the identity while its rivals are tempered would move it in their order.

    Args:
        predicted_NM: predicted quality in [0, 1], shape (N, M).
        quality_NM: observed quality in [0, 1], nan where not observed, shape (N, M).
        config: shrinkage.

    Returns:
        The identity where fewer than `minimum_cells` cells were observed.

    Raises:
        ValueError: the shapes differ.
    """
    if predicted_NM.shape != quality_NM.shape:
        raise ValueError(f"predicted {predicted_NM.shape} and observed {quality_NM.shape} differ in shape")
    seen_NM = np.isfinite(quality_NM)
    candidates = quality_NM.shape[1]
    if seen_NM.sum() < config.minimum_cells:
        return identity(candidates)
    # about the mean logit, a level and a slope hardly trade off against each other
    centre = float(logit(predicted_NM)[seen_NM].mean())
    logits_NM = logit(predicted_NM) - centre
    prior_2, weight_2 = np.array([1.0, centre]), np.full(2, FISHER * config.strength)
    shared_2 = _fit(logits_NM[seen_NM], quality_NM[seen_NM], prior_2, weight_2)
    precision_2 = 1 / np.maximum(_spread(logits_NM, quality_NM, shared_2), SMALLEST_SPREAD)
    fit_M2 = np.tile(shared_2, (candidates, 1))
    for m in range(candidates):
        seen_N = seen_NM[:, m]
        if seen_N.any():
            fit_M2[m] = _fit(logits_NM[seen_N, m], quality_NM[seen_N, m], shared_2, precision_2)
    return Calibration(slope_M=fit_M2[:, 0].copy(), intercept_M=fit_M2[:, 1] - fit_M2[:, 0] * centre)


def _spread(logits_NM: Floats, quality_NM: Floats, shared_2: Floats) -> Floats:
    """Variance of slopes and of intercepts between candidates, beyond sampling noise, shape (2,).

    One Newton step from the shared fit estimates each candidate's difference; the moment estimator takes off what
    noise alone would spread.
    """
    predicted_NM = sigmoid(shared_2[0] * logits_NM + shared_2[1])
    error_NM = np.nan_to_num(quality_NM - predicted_NM)
    weight_NM = np.where(np.isfinite(quality_NM), predicted_NM * (1 - predicted_NM), 0)
    # quality needn't be binary: the noise of a cell is what was seen, not p (1 - p)
    noise = float((error_NM**2).sum() / max(weight_NM.sum(), FLOOR))
    spread_2 = np.zeros(2)
    for index, power in enumerate((2, 0)):
        information_M = (weight_NM * logits_NM**power).sum(axis=0)
        seen_M = information_M > FLOOR
        if seen_M.sum() < 2:
            continue
        step_M = (error_NM * logits_NM ** (power // 2)).sum(axis=0)[seen_M] / information_M[seen_M]
        weight_M = information_M[seen_M] / max(noise, FLOOR)
        centred_M = step_M - np.average(step_M, weights=weight_M)
        surplus = float((weight_M * centred_M**2).sum()) - (weight_M.size - 1)
        spread_2[index] = max(surplus, 0) / (weight_M.sum() - (weight_M**2).sum() / weight_M.sum())
    return spread_2


def _loss(
    fit_2: Floats, logits_N: Floats, quality_N: Floats, prior_2: Floats, precision_2: Floats
) -> tuple[float, Floats]:
    """Cross-entropy of sigmoid(slope x logit + intercept) plus the prior's penalty, a cell, and its gradient."""
    z_N = fit_2[0] * logits_N + fit_2[1]
    error_N, away_2 = sigmoid(z_N) - quality_N, fit_2 - prior_2
    loss = np.sum(np.logaddexp(0, z_N) - quality_N * z_N) + np.sum(precision_2 * away_2**2) / 2
    gradient_2 = np.array([error_N @ logits_N, error_N.sum()]) + precision_2 * away_2
    return float(loss) / logits_N.size, gradient_2 / logits_N.size


def _fit(logits_N: Floats, quality_N: Floats, prior_2: Floats, precision_2: Floats) -> Floats:
    """Minimiser of `_loss` with slope >= SMALLEST_SLOPE: convex, so that there is one."""
    found = minimize(
        _loss,
        np.maximum(prior_2, [SMALLEST_SLOPE, -np.inf]),
        args=(logits_N, quality_N, prior_2, precision_2),
        jac=True,
        method="L-BFGS-B",
        bounds=((SMALLEST_SLOPE, None), (None, None)),
        options={"ftol": 1e-14, "gtol": 1e-9},
    )
    return np.asarray(found.x, dtype=np.float64)

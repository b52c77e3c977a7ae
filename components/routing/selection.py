"""Choices made on validation prompts, and the figures they rest on. Shapes: N prompts, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import choice_quality
from components.routing.aggregate import Posterior

Floats = NDArray[np.float64]
FEWEST_COMMON = 30
"""Prompts that every candidate answered, from which means over common prompts are preferred to means over all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaTrial:
    """One way to aggregate, as measured on validation after calibration."""

    alpha: float
    posterior: Posterior
    quality: float
    """Mean observed quality of the best predicted candidate."""
    brier: float
    """Mean squared error of calibrated quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTrial:
    """One guard margin, as measured on validation."""

    margin: float
    quality: float


def best_single(quality_NM: Floats) -> int:
    """The candidate of highest mean quality: over prompts that all answered if there are enough, else over its own.

    Ties go to the lowest index.

    Raises:
        ValueError: nothing was observed.
    """
    common_N = np.isfinite(quality_NM).all(axis=1)
    compared_NM = quality_NM[common_N] if common_N.sum() >= FEWEST_COMMON else quality_NM
    known_NM = np.isfinite(compared_NM)
    if not known_NM.any():
        raise ValueError("no outcome was observed")
    count_M = known_NM.sum(axis=0)
    mean_M = np.where(known_NM, compared_NM, 0).sum(axis=0) / np.maximum(count_M, 1)
    return int(np.where(count_M > 0, mean_M, -np.inf).argmax())


def choose_trial(trials: list[AlphaTrial], tolerance: float) -> int:
    """The index of the lowest Brier score among trials whose quality is within tolerance of the best.

    The quality of an argmax is a jumpy figure: a few prompts decide between neighbouring alphas; the Brier score uses
    every cell. Ties go to the first.
    """
    best = max(trial.quality for trial in trials)
    # rounding alone mustn't exclude a trial that lies on the bound
    near = [index for index, trial in enumerate(trials) if trial.quality >= best - tolerance - 1e-12]
    return min(near, key=lambda index: (trials[index].brier, index))


def guard_trials(
    predicted_NM: Floats, quality_NM: Floats, fallback: int, margins: tuple[float, ...]
) -> tuple[GuardTrial, ...]:
    """Validation quality at each margin."""
    trials = []
    for margin in margins:
        guarded_NM = predicted_NM.copy()
        guarded_NM[:, fallback] += margin
        trials.append(GuardTrial(margin=margin, quality=choice_quality(guarded_NM, quality_NM)))
    return tuple(trials)

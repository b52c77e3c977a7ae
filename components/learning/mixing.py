"""How both stages are weighed, calibrated and guarded: chosen on what parts say of prompts they weren't trained on.

Shapes: N prompts, M candidates.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import choice_outcomes
from components.learning.calibration_fit import CalibrationConfig, fit_calibration
from components.learning.caution import cautious
from components.learning.selection import (
    AlphaTrial,
    GuardTrial,
    choose_guard,
    choose_slope,
    choose_trial,
    judged_groups,
)
from components.tasks.criterion import advantage_error
from pointsman.model.aggregate import Posterior, mix
from pointsman.model.calibration import Calibration
from pointsman.model.guard import excess

Floats = NDArray[np.float64]
_DISTANCE_ERRORS = 0.5
"""Standard errors that the margin for distance may cost on held-out prompts: that for doubt has had one before it, and
a second whole one cost three blocks of docs/results.md about two thousandths of quality on their own prompts."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """What both stages say of each seen prompt, by parts that were trained without it."""

    task_N: NDArray[np.int32]
    """Recognised task, -1: unsure."""
    doubt_N: Floats
    """How unsure stage 1 is of the task, in [0, 1]."""
    distance_N: Floats
    """Distance from the clusters, >= 0, see `ClusterTables.nearest`."""
    soft_NM: Floats
    """What stage 1 expects by the posterior."""
    hard_NM: Floats
    """What stage 1 expects by the recognised task."""
    prompt_NM: Floats
    """Prompt-level quality."""

    def take(self, rows_K: NDArray[np.intp]) -> "HeldOut":
        """The same of a choice of prompts."""
        return HeldOut(**{one.name: getattr(self, one.name)[rows_K] for one in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mixing:
    """What was chosen, and how the choices fared."""

    trials: tuple[AlphaTrial, ...]
    chosen: AlphaTrial
    calibration: Calibration
    guards: tuple[GuardTrial, ...]
    guard: float
    doubts: tuple[GuardTrial, ...]
    doubt: float
    distances: tuple[GuardTrial, ...]
    distance: float
    usual_distance: float
    """Median of the prompts that this was chosen on."""

    def mixed(self, held: HeldOut) -> Floats:
        """Both stages' quality together, uncalibrated, shape (N, M)."""
        level_NM = held.soft_NM if self.chosen.posterior == "soft" else held.hard_NM
        return mix(held.prompt_NM, level_NM, self.chosen.alpha)

    def margin(self, held: HeldOut) -> Floats:
        """Quality by which a candidate must beat the fallback, shape (N,)."""
        farther_N = excess(held.distance_N, self.usual_distance)
        return self.guard + self.doubt * held.doubt_N + self.distance * farther_N


def choose_mixing(
    held: HeldOut,
    quality_NM: Floats,
    judged_NM: Floats,
    fallback: int,
    *,
    alphas: tuple[float, ...],
    posteriors: tuple[Posterior, ...],
    guard_margins: tuple[float, ...],
    doubt_margins: tuple[float, ...],
    distance_margins: tuple[float, ...],
    calibration: CalibrationConfig,
    cost_usd_NM: Floats | None = None,
    caution: float = 0.0,
    group_N: NDArray[np.integer] | None = None,
) -> Mixing:
    """Weight, calibration and guard; calibration is fitted on observed cells, choices are judged on pseudo-outcomes.

    Args:
        held: what parts trained without each prompt say of it.
        quality_NM: observed quality; nan where not.
        judged_NM: what choices are judged by.
        fallback: index of the best single candidate.
        alphas: weights of the prompt-level heads to try.
        posteriors: ways to read the task table.
        guard_margins: see `RouterConfig`.
        doubt_margins: see `RouterConfig`.
        distance_margins: see `RouterConfig`.
        calibration: how much evidence it asks for.
        cost_usd_NM: USD a call as expected, which decides between guards that can't be told apart where every outcome
            was observed; None: unknown.
        caution: see `RouterConfig`.
        group_N: prompts that belong together, such as turns of a conversation: what happens to be better on them is so
            once, and proves no more than one prompt does. None: all are independent.
    """
    level = {"soft": held.soft_NM, "hard": held.hard_NM}
    trials: list[AlphaTrial] = []
    fits: list[Calibration] = []
    outcomes: list[Floats] = []
    for posterior in posteriors:
        for alpha in alphas:
            mixed_NM = mix(held.prompt_NM, level[posterior], alpha)
            fitted = fit_calibration(mixed_NM, quality_NM, calibration)
            predicted_NM = fitted.apply(mixed_NM)
            outcomes.append(choice_outcomes(predicted_NM, judged_NM))
            trials.append(
                AlphaTrial(
                    alpha=alpha,
                    posterior=posterior,
                    quality=float(outcomes[-1].mean()),
                    brier=float(np.nanmean((predicted_NM - quality_NM) ** 2)),
                    advantage_error=advantage_error(predicted_NM, judged_NM),
                )
            )
            fits.append(fitted)
    best = choose_trial(trials, np.stack(outcomes), judged_groups(judged_NM, group_N))
    mixed_NM = mix(held.prompt_NM, level[trials[best].posterior], trials[best].alpha)
    chosen = cautious(fits[best], mixed_NM, quality_NM, fallback, caution, group_N)
    calibrated_NM = chosen.apply(mixed_NM)
    # by noisy stand-ins nearly any guard ties with the best one, and the cheapest of them may be the worst
    paid_NM = cost_usd_NM if np.isfinite(quality_NM).all() else None
    guard, guards = choose_guard(calibrated_NM, judged_NM, fallback, guard_margins, paid_NM, group_N)
    margin_N = np.full(len(calibrated_NM), guard)
    doubt, doubts = choose_slope(calibrated_NM, judged_NM, fallback, margin_N, held.doubt_N, doubt_margins, group_N)
    margin_N += doubt * held.doubt_N
    usual = float(np.median(held.distance_N))
    farther_N = excess(held.distance_N, usual)
    distance, distances = choose_slope(
        calibrated_NM, judged_NM, fallback, margin_N, farther_N, distance_margins, group_N, errors=_DISTANCE_ERRORS
    )
    return Mixing(
        trials=tuple(trials),
        chosen=trials[best],
        calibration=chosen,
        guards=guards,
        guard=guard,
        doubts=doubts,
        doubt=doubt,
        distances=distances,
        distance=distance,
        usual_distance=usual,
    )

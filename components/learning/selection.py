"""Choices made on validation prompts, and the figures they rest on. Shapes: N prompts, M candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.baselines.observed import choice_outcomes
from components.tables.groups import design_effect, design_effects
from components.tasks.criterion import ties
from pointsman.model.aggregate import Posterior
from pointsman.model.guard import counted

Floats = NDArray[np.float64]
Groups = NDArray[np.integer]
PROOF = 1.0
"""Standard errors by which free choice must beat the fallback."""
SURE = 1.64
"""Standard errors that a best single candidate must stand out by where outcomes have gaps: one in twenty."""
NEVER = 1.0
"""A margin that nothing beats: quality is at most 1."""
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
    advantage_error: float
    """Mean squared error of calibrated quality less its mean over the prompt's candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTrial:
    """One guard margin, as measured on validation."""

    margin: float
    quality: float


def best_single(quality_NM: Floats, errors: float = 0.0, group_N: Groups | None = None) -> int:
    """The candidate of highest mean quality: over prompts that all answered if there are enough, else over its own.

    Ties go to the lowest index.

    Args:
        quality_NM: outcomes or pseudo-outcomes; nan where not known.
        errors: standard errors taken off each mean, >= 0: of candidates that were seldom asked one looks best by luck,
            and the one that is known to be good is the one to fall back on.
        group_N: prompts that belong together, such as turns of a conversation; None: all are independent.

    Raises:
        ValueError: nothing was observed.
    """
    common_N = np.isfinite(quality_NM).all(axis=1)
    compared_N = common_N if common_N.sum() >= FEWEST_COMMON else np.ones_like(common_N)
    compared_NM = quality_NM[compared_N]
    known_NM = np.isfinite(compared_NM)
    if not known_NM.any():
        raise ValueError("no outcome was observed")
    count_M = known_NM.sum(axis=0)
    mean_M = np.where(known_NM, compared_NM, 0).sum(axis=0) / np.maximum(count_M, 1)
    if errors:
        square_M = np.where(known_NM, (compared_NM - mean_M) ** 2, 0).sum(axis=0) / np.maximum(count_M - 1, 1)
        square_M *= design_effects(compared_NM, None if group_N is None else group_N[compared_N])
        # one outcome shows no spread, and proves nothing
        error_M = np.where(count_M > 1, np.sqrt(square_M / np.maximum(count_M, 1)), 1.0)
        mean_M = mean_M - errors * error_M
    return int(np.where(count_M > 0, mean_M, -np.inf).argmax())


def choose_trial(trials: list[AlphaTrial], outcome_SK: Floats, group_K: Groups | None = None) -> int:
    """The index of the least advantage error among the trials that can't be told from the best by their choices.

    The quality of choices is what counts, but a few prompts decide between neighbouring trials; the advantage error
    uses every cell. Trials within one standard error (of the paired difference) of the best tie. Ties go to the first.

    Args:
        trials: S of them.
        outcome_SK: quality of each trial's choice on each prompt, shape (S, K).
        group_K: prompts that belong together; None: all are independent.
    """
    tied_S = ties(-outcome_SK, np.ones(len(trials), dtype=bool), errors=1.0, group_K=group_K)
    return min(np.flatnonzero(tied_S).tolist(), key=lambda i: (np.nan_to_num(trials[i].advantage_error), i))


def choose_guard(
    predicted_NM: Floats,
    quality_NM: Floats,
    fallback: int,
    margins: tuple[float, ...],
    cost_usd_NM: Floats | None = None,
    group_N: Groups | None = None,
) -> tuple[float, tuple[GuardTrial, ...]]:
    """The margin by which others must beat the fallback, and the quality at each margin.

    Where choosing freely is better than the fallback alone by a standard error (paired), routing has proven itself:
    the least margin. Elsewhere the fallback is left on evidence only, in quality or in cost: of the margins that can't
    be told from the best one the least expensive, where costs are known, else the best itself; of equals the largest.

    Args:
        predicted_NM: by parts that hadn't seen the prompts.
        quality_NM: what choices are judged by; nan where not known.
        fallback: index of the best single candidate.
        margins: to try, ascending.
        cost_usd_NM: USD of each choice as expected; None, or a nan anywhere: unknown, doesn't count.
        group_N: prompts that belong together, such as turns of a conversation, whose luck is shared; None: all are
            independent.
    """
    group_K = judged_groups(quality_NM, group_N)
    every = (*margins, NEVER)
    scores = [counted(predicted_NM, np.full(len(predicted_NM), margin), fallback) for margin in every]
    outcome_SK = np.stack([choice_outcomes(score_NM, quality_NM) for score_NM in scores])
    trials = tuple(
        GuardTrial(margin=margin, quality=float(outcome_K.mean()))
        for margin, outcome_K in zip(every, outcome_SK, strict=True)
    )
    gain_K = outcome_SK[0] - outcome_SK[-1]
    if gain_K.mean() > PROOF * gain_K.std() / np.sqrt(gain_K.size) * np.sqrt(design_effect(gain_K, group_K)):
        return margins[0], trials
    if cost_usd_NM is None or np.isnan(cost_usd_NM).any():
        return max(trials, key=lambda trial: (trial.quality, trial.margin)).margin, trials
    level_S = np.flatnonzero(ties(-outcome_SK, np.ones(len(every), dtype=bool), errors=PROOF, group_K=group_K))
    paid = [float(cost_usd_NM[np.arange(len(score_NM)), score_NM.argmax(axis=1)].mean()) for score_NM in scores]
    return every[min(level_S.tolist(), key=lambda s: (paid[s], -every[s]))], trials


def choose_slope(
    predicted_NM: Floats,
    quality_NM: Floats,
    fallback: int,
    margin_N: Floats,
    unlike_N: Floats,
    margins: tuple[float, ...],
    group_N: Groups | None = None,
    *,
    errors: float = 1.0,
) -> tuple[float, tuple[GuardTrial, ...]]:
    """The largest margin a unit of unlikeness that costs these prompts nothing to speak of, and the quality at each.

    Prompts of kinds that were never seen are in doubt, or far from all that was, more often than these, and are what
    the margin is for: as much is taken as can't be told from none here, by `errors` standard errors of the paired
    difference.

    Args:
        predicted_NM: by parts that hadn't seen the prompts.
        quality_NM: observed; nan where not.
        fallback: index of the best single candidate.
        margin_N: the margin without it.
        unlike_N: how unlike what was learnt from each prompt is, >= 0: see `doubt` and `excess`.
        margins: to try, ascending from 0.
        group_N: prompts that belong together; None: all are independent.
        errors: standard errors that it may cost, >= 0.
    """
    outcome_SK = np.stack([_guarded(predicted_NM, quality_NM, fallback, margin_N + m * unlike_N) for m in margins])
    trials = tuple(
        GuardTrial(margin=margin, quality=float(outcome_K.mean()))
        for margin, outcome_K in zip(margins, outcome_SK, strict=True)
    )
    cost_SK = outcome_SK[0] - outcome_SK
    effect_S = design_effects(cost_SK.T, judged_groups(quality_NM, group_N))
    error_S = cost_SK.std(axis=1) / np.sqrt(cost_SK.shape[1]) * np.sqrt(effect_S)
    free_S = cost_SK.mean(axis=1) <= errors * error_S
    return margins[int(np.flatnonzero(free_S)[-1])], trials


def judged_groups(quality_NM: Floats, group_N: Groups | None) -> Groups | None:
    """Groups of the prompts that `choice_outcomes` judges: those on which anything is known."""
    return None if group_N is None else group_N[np.isfinite(quality_NM).any(axis=1)]


def _guarded(predicted_NM: Floats, quality_NM: Floats, fallback: int, margin: float | Floats) -> Floats:
    margin_N = np.broadcast_to(margin, predicted_NM.shape[:1])
    return choice_outcomes(counted(predicted_NM, margin_N, fallback), quality_NM)

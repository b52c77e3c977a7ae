"""Probabilities with which logs show a cell: checked where logged, else estimated. Shapes: N prompts, M candidates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.frequencies import frequencies, frequency_model
from components.evaluation.off_policy.logistic import logistic_model
from components.tables.groups import design_effects, divisible, numbered
from components.tables.units import dealt

FLOOR = 0.02
"""Least probability that is believed of an estimate: small ones are mostly error, and weigh most."""
_SIGNIFICANT, _TOO_MUCH = 6.0, 1.5
_CHANCE = 1e-3
_STRENGTHS = (0.001, 0.01, 0.1)
_STAYING = 1.5
"""Design effect of the choices from which conversations count as staying with a candidate."""


def check_logged(
    propensity_NM: NDArray[np.float64],
    observed_NM: NDArray[np.bool_],
    models: Sequence[str] | None = None,
    together_N: NDArray[np.integer] | None = None,
) -> None:
    """Refuses propensities that can't be what the logs were drawn with.

    Of each candidate, the weights 1/p of its answers add up to the number of prompts on which it could be chosen, so
    to no more than all prompts (times the answers a prompt has): far beyond that (six standard errors and half as much
    again) the numbers are something else, such as scores or shares of another policy. Fewer is no contradiction: a
    policy may never choose it.

    Args:
        propensity_NM: as logged; nan where not logged or not observed.
        observed_NM: where there is an outcome.
        models: names for the message.
        together_N: prompts that belong together, such as turns of a conversation, for which a policy may have chosen
            once; below 0: to nothing. None: all are independent.

    Raises:
        ValueError: 0, negative, above 1 or infinite, or inconsistent with how often a candidate was chosen.
    """
    bad_NM = observed_NM & ~np.isnan(propensity_NM) & ~((propensity_NM > 0) & (propensity_NM <= 1))
    if bad_NM.any():
        row, column = (int(place[0]) for place in np.nonzero(bad_NM))
        raise ValueError(
            f"propensity must be in (0, 1], got {propensity_NM[row, column]} in {int(bad_NM.sum())} outcomes, "
            f"the first of {_name(models, column)}: it is the probability with which the logged choice was made"
        )
    logged_NM = observed_NM & ~np.isnan(propensity_NM)
    rows_N = logged_NM.any(axis=1)
    if not rows_N.any():
        return
    # over all prompts: a design that asks some of them on purpose says how likely each was to be among them
    weight_NM = np.where(logged_NM, 1 / np.where(logged_NM, propensity_NM, 1.0), 0.0)
    mean_M = weight_NM.mean(axis=0)
    error_M = weight_NM.std(axis=0) / len(weight_NM) ** 0.5 * np.sqrt(design_effects(weight_NM, together_N))
    # several answers to one prompt are as many draws
    draws = float(logged_NM[rows_N].sum(axis=1).mean())
    beyond_M = (mean_M > _TOO_MUCH * draws) & (mean_M - draws > _SIGNIFICANT * error_M)
    if beyond_M.any():
        column = int(mean_M.argmax())
        share = float(logged_NM[:, column].mean())
        mean = float(propensity_NM[logged_NM[:, column], column].mean())
        raise ValueError(
            f"propensities are inconsistent: {_name(models, column)} was chosen on {share:.1%} of prompts, yet its "
            f"outcomes' propensities (mean {mean:.3g}) mean at most {share / mean_M[column]:.1%}"
        )


def _name(models: Sequence[str] | None, column: int) -> str:
    return models[column] if models is not None else f"candidate {column}"


def estimated_inclusion(
    observed_NM: NDArray[np.bool_],
    features_NF: NDArray[np.float32] | None,
    group_N: NDArray[np.generic] | None,
    seed: int,
    *,
    whole_N: NDArray[np.bool_] | None = None,
    together_N: NDArray[np.integer] | None = None,
    folds: int = 5,
    floor: float = FLOOR,
) -> NDArray[np.float64]:
    """The probability that each cell is observed, estimated for every cell from the other prompts' cells.

    Fully observed prompts have 1: all were asked on purpose, and they say nothing about how the others were chosen;
    unless `whole_N` says that chance did it.
    For the others, frequencies by group and logistic models of the features are fitted in folds, and of these and the
    plain frequencies the one with the least held-out loss of the weights is taken. Where a candidate is observed on
    none or on all of a group's prompts, and chance wouldn't have done that once in a thousand times, it has 0 or 1: a
    rule, no choice. Of a lone prompt that isn't fully observed, each candidate is as likely as the next.

    Where conversations stay with the candidate that their first turn went to, what their other turns show is that one
    choice again: they are held out whole, and it takes as many conversations to tell a rule as it takes prompts
    elsewhere. Near-duplicates of which each was chosen for anew (the choices' design effect says so) are prompts like
    any others.

    Args:
        observed_NM: where there is an outcome.
        features_NF: what choices may depend on, shape (N, F); None: nothing known.
        group_N: the logs' own label of each prompt; None: there is none.
        seed: of the folds.
        whole_N: the fully observed prompts that were asked on purpose; None: all of them.
        together_N: prompts that belong together, such as turns of a conversation; below 0: to nothing. None: all are
            independent.
        folds: >= 2.
        floor: least probability given to a cell that is observed, in (0, 1].

    Returns:
        Shape (N, M), in [0, 1]; at least `floor` where observed.

    Raises:
        ValueError: folds < 2.
    """
    if folds < 2:
        raise ValueError(f"folds must be >= 2, got {folds}")
    inclusion_NM = np.ones(observed_NM.shape)
    rows_K = np.flatnonzero(~(observed_NM.all(axis=1) if whole_N is None else whole_N))
    if rows_K.size == 0:
        return inclusion_NM
    seen_KM = observed_NM[rows_K]
    if rows_K.size == 1:
        # no other prompt tells how this one's candidates were chosen: each as likely as the next
        inclusion_NM[rows_K] = np.maximum(seen_KM.mean(axis=1, keepdims=True), floor * seen_KM)
        return inclusion_NM
    nothing_K = np.zeros(rows_K.size, dtype=np.intp)
    group_K = nothing_K if group_N is None else np.unique(group_N[rows_K], return_inverse=True)[1].astype(np.intp)
    together_K = None if together_N is None else divisible(together_N[rows_K])
    effect_M = _staying(seen_KM, group_K, together_K)
    stay = together_K is not None and effect_M.mean() > _STAYING
    unit_K = numbered(together_K) if together_K is not None and stay else np.arange(rows_K.size)
    fold_K = dealt(unit_K, min(folds, int(unit_K.max()) + 1), seed)
    models = [frequency_model(seen_KM, nothing_K, fold_K)]
    if group_N is not None:
        models.append(frequency_model(seen_KM, group_K, fold_K))
    if features_NF is not None:
        models += [logistic_model(seen_KM, features_NF[rows_K], group_K, fold_K, strength=s) for s in _STRENGTHS]
    best_KM = min(models, key=lambda inclusion_KM: _loss(inclusion_KM, seen_KM, floor))
    if stay:
        # one conversation alone may show a candidate: in its own fold nobody else does, which is no rule
        best_KM = np.where((best_KM == 0) & seen_KM.any(axis=0), floor, best_KM)
    for share in (0.0, 1.0):
        best_KM = np.where(_by_rule(seen_KM, group_K, effect_M, share), share, best_KM)
    inclusion_NM[rows_K] = np.where(seen_KM, np.maximum(best_KM, floor), best_KM)
    return inclusion_NM


def _staying(
    seen_KM: NDArray[np.bool_], group_K: NDArray[np.intp], together_K: NDArray[np.integer] | None
) -> NDArray[np.float64]:
    """Prompts of a conversation that say as much of how a candidate is chosen as one prompt does, shape (M,).

    The design effect of what the group's frequencies don't tell: 1 where each prompt is chosen for anew.
    """
    return design_effects(seen_KM - frequencies(seen_KM, group_K)[group_K], together_K)


def _by_rule(
    seen_KM: NDArray[np.bool_], group_K: NDArray[np.intp], effect_M: NDArray[np.float64], share: float
) -> NDArray[np.bool_]:
    """Cells of candidates that are observed on no (0) or every (1) prompt of the group, by more than chance.

    So many prompts of a group count as one as `_staying` says.
    """
    size_G = np.bincount(group_K)[:, None]
    overall_M = seen_KM.mean(axis=0)
    chance_GM = (overall_M if share == 1.0 else 1 - overall_M)[None, :] ** (size_G / effect_M)
    # a single group has nothing to be compared with: what its frequencies say is all there is
    surprising_GM = (chance_GM < _CHANCE) | (size_G == len(group_K))
    return np.asarray(((frequencies(seen_KM, group_K) == share) & surprising_GM)[group_K], dtype=np.bool_)


def _loss(inclusion_KM: NDArray[np.float64], seen_KM: NDArray[np.bool_], floor: float) -> float:
    """Held-out loss of the weights 1/p, least for the true ones (Chernozhukov, Newey, Singh 2022, arXiv 1809.05224).

    The log loss is least for models that tell the frequent choice well and miss rare ones, whose weights are greatest.
    """
    weight_KM = 1 / np.clip(inclusion_KM, floor, 1.0)
    return float((seen_KM * weight_KM**2 - 2 * weight_KM).sum(axis=1).mean())

"""Deciding among the candidates that each prompt may go to, as if there were no others.

Shapes: N prompts, M candidates, C of them available.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Prediction, Selection
from pointsman.policy.eligibility import Mask, NoneEligible
from pointsman.policy.policy import Budget, Policy, decide, of_cost, require_costs


def decide_eligible(
    prediction: Prediction,
    policy: Policy,
    eligible_NM: Mask,
    *,
    fallback: int,
    general_quality_M: NDArray[np.float64],
    models: Sequence[str],
) -> Selection:
    """As `decide`, with candidates of each prompt's own; prompts of one set of candidates are decided together.

    Raises:
        ValueError: as `decide`; costs need to be known of the eligible candidates only.
        NoneEligible: that can be kept for some prompts only, and not for these.
    """
    if eligible_NM.all():
        return decide(prediction, policy, fallback=fallback, models=models)
    if of_cost(policy):
        _require_payable(prediction, policy, eligible_NM, models)
    masks_GM: Mask
    masks_GM, group_N = np.unique(eligible_NM, axis=0, return_inverse=True)
    if len(masks_GM) > 1 and isinstance(policy, Budget):
        # a budget is one for all prompts
        prediction = replace(prediction, supported_NM=_may_be_chosen(prediction, policy, eligible_NM, models))
        masks_GM, group_N = np.asarray(eligible_NM.any(axis=0)).reshape(1, -1), 0 * group_N
    choice_N = np.empty(eligible_NM.shape[0], dtype=np.intp)
    reason_N = np.empty(eligible_NM.shape[0], dtype="U16")
    for group, mask_M in enumerate(masks_GM):
        rows = np.flatnonzero(group_N == group)
        decision = decide_among(
            rows_of(prediction, rows),
            policy,
            np.flatnonzero(mask_M),
            fallback=fallback,
            general_quality_M=general_quality_M,
            models=models,
        )
        choice_N[rows], reason_N[rows] = decision.candidate_N, decision.reason_N
    return Selection(candidate_N=choice_N, reason_N=reason_N)


def decide_among(
    prediction: Prediction,
    policy: Policy,
    columns_C: NDArray[np.intp],
    *,
    fallback: int,
    general_quality_M: NDArray[np.float64],
    models: Sequence[str],
) -> Selection:
    """As `decide`, as if the other candidates didn't exist; the choice indexes all M.

    Where the fallback isn't among them, the available candidate of best general quality stands in.

    Raises:
        ValueError: as `decide`; costs need to be known of the available candidates only.
    """
    held = np.flatnonzero(columns_C == fallback)
    decision = decide(
        _columns(prediction, columns_C),
        policy,
        fallback=int(held[0]) if held.size else int(general_quality_M[columns_C].argmax()),
        models=[models[column] for column in columns_C],
    )
    return Selection(candidate_N=columns_C[decision.candidate_N], reason_N=decision.reason_N)


def rows_of(prediction: Prediction, rows: NDArray[np.intp] | slice) -> Prediction:
    """The prediction of some of its prompts."""
    known: dict[str, Any] = {entry.name: getattr(prediction, entry.name) for entry in fields(Prediction)}
    part: dict[str, Any] = {name: None if array is None else array[rows] for name, array in known.items()}
    return Prediction(**part)


def _columns(prediction: Prediction, columns_C: NDArray[np.intp]) -> Prediction:
    known = {entry.name: getattr(prediction, entry.name) for entry in fields(Prediction)}
    for name in ("quality_NM", "cost_usd_NM", "supported_NM"):
        if known.get(name) is not None:
            known[name] = known[name][:, columns_C]
    return Prediction(**known)


def _require_payable(prediction: Prediction, policy: Policy, eligible_NM: Mask, models: Sequence[str]) -> None:
    """Names the prompts that have no eligible candidate of known cost, where others have one."""
    known_M = np.asarray(np.isfinite(prediction.cost_usd_NM).all(axis=0), dtype=np.bool_)
    without_N = ~(eligible_NM & known_M).any(axis=1)
    if known_M.all() or not without_N.any() or without_N.all():
        return
    reasons: dict[int, str] = {}
    for row in np.flatnonzero(without_N).tolist():
        columns = np.flatnonzero(eligible_NM[row]).tolist()
        try:
            require_costs(known_M[columns], policy, [models[column] for column in columns])
        except ValueError as error:
            reasons[row] = str(error)
    raise NoneEligible(reasons)


def _may_be_chosen(prediction: Prediction, policy: Policy, eligible_NM: Mask, models: Sequence[str]) -> Mask:
    """Eligible candidates of known cost, of each prompt those with outcomes on its task where there are any.

    As candidates without outcomes the others are nobody's first, and where the fallback is one of them the prompt has
    no margin: a promise can't be measured against who may not be chosen.
    """
    known_M = np.asarray(np.isfinite(prediction.cost_usd_NM).all(axis=0), dtype=np.bool_)
    payable_NM = np.asarray(eligible_NM & known_M, dtype=np.bool_)
    for row in np.flatnonzero(~payable_NM.any(axis=1))[:1].tolist():
        columns = np.flatnonzero(eligible_NM[row]).tolist()
        require_costs(known_M[columns], policy, [models[column] for column in columns])
    if prediction.supported_NM is None:
        return payable_NM
    both_NM = prediction.supported_NM & payable_NM
    return np.asarray(np.where(both_NM.any(axis=1, keepdims=True), both_NM, payable_NM), dtype=np.bool_)

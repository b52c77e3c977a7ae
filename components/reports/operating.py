"""The operating policy in the report: what it is worth, what changes, and what other policies would do.

Shapes: N prompts, M candidates.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval, intervals
from components.evaluation.gate import Played
from components.evaluation.operating import price_grid
from components.evaluation.paired import ratio
from components.learning.judged import Judged
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Policy, QualityBar, Tolerance, Tradeoff, decide, form

Floats = NDArray[np.float64]
_SIDE = 0.025
"""Error probability at each end of the intervals shown."""


def operating_section(
    challenger: Played,
    best_single: Played,
    choice_N: NDArray[np.intp],
    single: int,
    models: Sequence[str],
    *,
    policy: str,
    asked: str,
    seed: int,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """`operating` of report.json.

    Args:
        challenger: the operating policy on the judged prompts.
        best_single: the best single candidate on them.
        choice_N: what the policy chose there.
        single: column of the best single candidate.
        models: names of the candidates.
        policy: as the command line takes it.
        asked: what a person wanted of it.
        seed: of the bootstrap.
        facts: further entries, such as how many prompts were judged.
    """
    return {
        "policy": policy,
        "asked": asked,
        **_worths([challenger], best_single, seed)[0],
        "best_single": {
            "name": models[single],
            "quality": float(best_single.quality_N.mean()),
            "cost_usd_per_1000": _per_1000(best_single.cost_usd_N),
        },
        "traffic_moved": float((choice_N != single).mean()),
        "shares": shares(choice_N, models),
        **facts,
    }


def best_on_task(quality_M: Floats, count_M: NDArray[np.int64], models: Sequence[str]) -> dict[str, Any]:
    """The best candidate of a task among those with outcomes on it, with how many; for a task's card.

    Args:
        quality_M: mean quality of each candidate on the task.
        count_M: outcomes behind it.
        models: names of the candidates.
    """
    tried_M = count_M > 0
    if not tried_M.any():
        return {"best": None, "quality": None, "outcomes": 0, "tried": 0}
    best = int(np.where(tried_M, quality_M, -np.inf).argmax())
    return {
        "best": models[best],
        "quality": float(quality_M[best]),
        "outcomes": int(count_M[best]),
        "tried": int(tried_M.sum()),
    }


def relative_cost(
    paid_N: Floats | None, theirs_N: Floats | None, group_N: NDArray[np.integer] | None = None
) -> Interval | None:
    """Cost relative to another's with its 95 % interval; None: unknown."""
    if paid_N is None or theirs_N is None or np.isnan(paid_N).any() or np.isnan(theirs_N).any():
        return None
    return ratio(paid_N, theirs_N, group_N).interval(_SIDE) if theirs_N.mean() > 0 else None


def shares(choice_N: NDArray[np.intp], models: Sequence[str]) -> dict[str, float]:
    """Share of prompts by candidate, the largest first; candidates that get none are left out."""
    count_M = np.bincount(choice_N, minlength=len(models))
    order = sorted(np.flatnonzero(count_M).tolist(), key=lambda m: (-count_M[m], m))
    return {models[m]: float(count_M[m] / choice_N.size) for m in order}


def whatif_curve(
    prediction: Prediction, judged: Judged, single: int, models: Sequence[str], declared: Policy, seed: int
) -> list[dict[str, Any]]:
    """What each of many policies would be worth on prompts that its beliefs hadn't seen.

    Args:
        prediction: beliefs about N prompts.
        judged: what choices on them are worth.
        single: column of the best single candidate.
        models: names of the candidates.
        declared: the operating policy, first in the answer.
        seed: of the bootstrap.

    Returns:
        For each policy: policy, quality and gain over the best single candidate as [mean, low, high],
        cost_usd_per_1000, cost_ratio as [mean, low, high] (None where unknown), shares by model, prompts.
    """
    rows = judged.quality_NM.shape[0]
    alone = judged.played("the best single candidate", np.full(rows, single), judged.group_N)
    policies = dict.fromkeys((declared, *_policies(prediction.cost_usd_NM)))
    choices = {policy: decide(prediction, policy, fallback=single).candidate_N for policy in policies}
    played = {policy: judged.played(form(policy), choice_N, judged.group_N) for policy, choice_N in choices.items()}
    # policies that can be judged on the same prompts share their resamples, which are most of the work
    alike: dict[bytes, list[Policy]] = {}
    for policy, found in played.items():
        known_N = ~np.isnan(found.quality_N) & ~np.isnan(alone.quality_N)
        if known_N.any():
            alike.setdefault(known_N.tobytes(), []).append(policy)
    worth: dict[Policy, dict[str, Any]] = {}
    for key, members in alike.items():
        known_N = np.frombuffer(key, dtype=np.bool_)
        judged_on = {"prompts": int(known_N.sum())}
        taken = [played[policy].take(known_N) for policy in members]
        found_P = _worths(taken, alone.take(known_N), seed, resamples=400)
        worth |= {policy: {**found, **judged_on} for policy, found in zip(members, found_P, strict=True)}
    return [
        {"policy": form(policy), **worth[policy], "shares": shares(choices[policy], models)}
        for policy in policies
        if policy in worth
    ]


def _worths(played: Sequence[Played], best_single: Played, seed: int, resamples: int = 1000) -> list[dict[str, Any]]:
    """Quality, gain, cost_ratio and cost_usd_per_1000 of choices on the same prompts, as section and curve say them."""
    quality_NP = np.stack([one.quality_N for one in played], axis=1)
    columns_NK = np.concatenate([quality_NP, quality_NP - best_single.quality_N[:, None]], axis=1)
    shown = intervals(columns_NK, seed, resamples=resamples, group_N=best_single.group_N)
    found = []
    for one, quality, gain in zip(played, shown[: len(played)], shown[len(played) :], strict=True):
        # of few heavily weighted answers a resample knows too little
        sure = gain if one.variance_N is None else one.above(best_single).interval(_SIDE)
        cost = relative_cost(one.cost_usd_N, best_single.cost_usd_N, one.group_N)
        found.append(
            {
                "quality": quality.as_list(),
                "gain": sure.as_list(),
                "cost_ratio": None if cost is None else cost.as_list(),
                "cost_usd_per_1000": _per_1000(one.cost_usd_N),
            }
        )
    return found


def _policies(cost_usd_NM: Floats) -> list[Policy]:
    prices = price_grid(cost_usd_NM, steps=21)
    costly: list[Policy] = [Tradeoff(willingness_to_pay=price) for price in prices]
    if prices:
        costly += [QualityBar(quality=bar) for bar in (0.5, 0.6, 0.7, 0.8, 0.9)]
        costly += [Tolerance(share=share) for share in (0.05, 0.1, 0.2, 0.3)]
    return [Best(), *costly]


def _per_1000(paid_N: Floats | None) -> float | None:
    if paid_N is None or np.isnan(paid_N).any():
        return None
    return 1000 * float(paid_N.mean())

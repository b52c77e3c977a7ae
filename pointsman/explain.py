"""Why a router decides as it does on one prompt: every part of the prediction, and what each policy would choose."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.location import local_folder
from pointsman.bundle.reading import Bundle, read_bundle
from pointsman.bundle.signature import Trust
from pointsman.columns import aligned
from pointsman.model.aggregate import mix, task_posterior
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Budget, Policy, QualityBar, Tolerance, Tradeoff, form, of_cost, parse
from pointsman.router import Router
from pointsman.routing import Routing

REASONS = {
    "task": "the prompt's task is recognised, and its outcomes decide",
    "general": "no task is recognised with confidence: what is known of all prompts decides",
    "doubt": "an advantage over the best single candidate is within the margin, so it isn't counted",
    "novel": "the prompt is unlike any in training, or longer: no advantage over the best single candidate is counted",
}
_REMOVED = {"retired": "retired", "context window": "the prompt exceeds its context window"}
"""What the rules of eligibility that hold for every request say of whom they remove."""
_SHOWN_TASKS, _SHOWN_GROUPS = 3, 3


def explain(path: str | Path, prompt: str, trust: Trust | None = None) -> dict[str, Any]:
    """Everything that a decision on a prompt rests on, as plain JSON.

    Args:
        path: a bundle's folder, or a published root, or the URL of either.
        prompt: the text.
        trust: who must have signed the router; None: nobody.

    Returns:
        router_id, decision (candidate, policy, reason and its meaning, margin), task and the likeliest tasks with
        probabilities, novelty (similarity to training prompts, the floor, and
        the nearest groups of training prompts by number), candidates (quality and its parts by
        table and by heads before calibration, expected cost, outcomes behind it on the task and in all, whether it may
        be chosen by the decision's policy, and why not), best_single, margin_over (whom the margin is measured
        against: the best single candidate, or who stands in for it where it may not be chosen), policies (what each
        would choose).

    Raises:
        BundleError: the router can't be loaded.
        ValueError: the prompt is empty.
    """
    if not prompt.strip():
        raise ValueError("the prompt is empty")
    folder = local_folder(path, trust=trust)
    bundle, router = read_bundle(folder, trust), Router.load(folder, trust=trust)
    tokens, embedding_1D = router.encode([prompt])
    features_1F = bundle.feature_map.transform(embedding_1D, tokens)
    prediction = router.predict([prompt])
    operating = router.policy("operating")
    chosen = router.choose(prediction, operating)
    eligible_M = np.ones(len(router.candidates), np.bool_) if chosen.eligible_NM is None else chosen.eligible_NM[0]
    posterior_T = task_posterior(bundle.model.classifier, features_1F)[0]
    task = int(prediction.task_N[0])
    reason, similarity = str(chosen.reason_N[0]), float(bundle.model.novelty.similarity(embedding_1D)[0])
    choices = {
        form(policy): router.candidates[int(router.choose(prediction, policy).choice_N[0])]
        for policy in _policies(router, prediction.cost_usd_NM[0, eligible_M])
    }
    return {
        "router_id": router.router_id,
        "decision": {
            "candidate": chosen.candidate[0],
            "policy": router.operating_policy,
            "asked_policy": router.asked_policy,
            "reason": reason,
            "meaning": REASONS[reason],
            "margin": float(chosen.margin_N[0]),
            "predicted_quality": float(chosen.predicted_quality[0]),
            "expected_cost_usd": _known(chosen.expected_cost_usd[0]),
        },
        "task": None if task < 0 else _task(router, task, posterior_T),
        "likeliest_tasks": [
            _task(router, int(one), posterior_T) for one in np.argsort(-posterior_T, kind="stable")[:_SHOWN_TASKS]
        ],
        "confidence_floor": float(bundle.model.classifier.confidence_floor),
        "novelty": {
            "novel": bool(prediction.novel_N[0]),
            "similarity": similarity,
            "floor": float(bundle.model.novelty.floor),
            "tokens": 0 if prediction.input_tokens_N is None else int(prediction.input_tokens_N[0]),
            "longest_tokens": float(bundle.model.longest_tokens) or None,
            "nearest_groups": [
                {"id": number, "similarity": cosine}
                for number, cosine in bundle.model.novelty.nearest(embedding_1D, _SHOWN_GROUPS)
            ],
        },
        "best_single": router.candidates[int(bundle.model.fallback)],
        "margin_over": router.candidates[_measured_against(bundle, eligible_M)],
        "candidates": _candidates(
            bundle, router, features_1F, prediction, why_not_M=_why_not(prediction, chosen, eligible_M, operating)
        ),
        "policies": choices,
    }


def _novel_above(longest: float | None) -> str:
    return "" if longest is None else f" (novel above {longest:,.0f})"


def text_of(found: Mapping[str, Any]) -> str:
    """The same for a terminal."""
    decision, task, novelty = found["decision"], found["task"], found["novelty"]
    asked = "" if decision["asked_policy"] == decision["policy"] else f" ({decision['asked_policy']})"
    lines = [
        f"{decision['candidate']} under {decision['policy']}{asked}",
        f"reason: {decision['reason']} ({decision['meaning']})",
        "task: none recognised" if task is None else f"task: {task['label']} ({task['id']}), {task['probability']:.0%}",
        f"likeness to training prompts: {novelty['similarity']:.2f} (novel below {novelty['floor']:.2f}); "
        f"tokens: {novelty['tokens']:,}{_novel_above(novelty['longest_tokens'])}; "
        f"margin over {found['margin_over']}: {decision['margin']:.3f}",
        "",
    ]
    head = ["candidate", "quality", "by table", "by heads", "USD per 1000", "outcomes: task", "all", ""]
    rows = [
        [
            one["candidate"],
            f"{one['quality']:.3f}",
            f"{one['by_table']:.3f}",
            f"{one['by_heads']:.3f}",
            "unknown" if one["cost_usd"] is None else f"{1000 * one['cost_usd']:.3f}",
            "-" if one["outcomes_on_task"] is None else str(one["outcomes_on_task"]),
            str(one["outcomes"]),
            "" if one["may_be_chosen"] else f"not chosen here: {one['why_not']}",
        ]
        for one in sorted(found["candidates"], key=lambda one: -one["quality"])
    ]
    lines += aligned(head, rows)
    lines += ["", *(f"{policy} would choose {name}" for policy, name in found["policies"].items())]
    return "\n".join(lines)


def _measured_against(bundle: Bundle, eligible_M: NDArray[np.bool_]) -> int:
    """Column of the best single candidate, or of the best on the whole of those eligible, as in `decide_among`."""
    fallback = int(bundle.model.fallback)
    if eligible_M[fallback]:
        return fallback
    return int(np.where(eligible_M, bundle.model.general_quality_M, -np.inf).argmax())


def _why_not(
    prediction: Prediction, chosen: Routing, eligible_M: NDArray[np.bool_], policy: Policy
) -> list[str | None]:
    """What keeps each candidate from being chosen, in the order in which `choose` asks; None: nothing does."""
    why_not_M: list[str | None] = [None] * eligible_M.size
    left_M = eligible_M.copy()

    def without(gone_M: NDArray[np.bool_], reason: str) -> None:
        for m in np.flatnonzero(gone_M).tolist():
            why_not_M[m] = reason
        left_M[gone_M] = False

    for rule, removed_NM in chosen.removed.items():
        without(removed_NM[0], _REMOVED.get(rule, rule))
    if of_cost(policy):
        without(left_M & np.isnan(prediction.cost_usd_NM[0]), f"its cost isn't known, and {form(policy)} goes by cost")
    supported_NM = prediction.supported_NM
    # where nobody who is left has outcomes, all of them may be chosen
    if supported_NM is not None and (left_M & supported_NM[0]).any():
        task = " on this task" if prediction.task_N[0] >= 0 else ""
        without(left_M & ~supported_NM[0], f"no outcomes{task}")
    return why_not_M


def _candidates(
    bundle: Bundle,
    router: Router,
    features_1F: NDArray[np.float32],
    prediction: Prediction,
    *,
    why_not_M: Sequence[str | None],
) -> list[dict[str, Any]]:
    model, evidence = bundle.model, bundle.evidence
    table_M, heads_M = model.stage_one(features_1F)[0], model.prompt_level(features_1F)[0]
    mixed_M = mix(heads_M, table_M, float(model.alpha))
    quality_M = model.calibration.apply(mixed_M[None])[0]
    task, cost_M = int(prediction.task_N[0]), prediction.cost_usd_NM[0]
    return [
        {
            "candidate": name,
            "quality": float(quality_M[m]),
            "by_table": float(table_M[m]),
            "by_heads": float(heads_M[m]),
            "weight_of_heads": float(model.alpha),
            "before_calibration": float(mixed_M[m]),
            "cost_usd": _known(cost_M[m]),
            "outcomes_on_task": None if task < 0 else int(evidence.count_TM[task, m]),
            "outcomes": int(evidence.count_M[m]),
            "may_be_chosen": why_not_M[m] is None,
            "why_not": why_not_M[m],
        }
        for m, name in enumerate(router.candidates)
    ]


def _task(router: Router, task: int, posterior_T: NDArray[np.floating]) -> dict[str, Any]:
    return {
        "id": router.task_ids[task] if router.task_ids else str(task),
        "label": router.tasks[task] if router.tasks else str(task),
        "probability": float(posterior_T[task]),
    }


def _policies(router: Router, cost_M: NDArray[np.float64]) -> list[Policy]:
    known_M = cost_M[~np.isnan(cost_M)]
    policies: list[Policy] = [parse(router.operating_policy), Best()]
    if known_M.size:
        spread = max(float(known_M.max() - known_M.min()), 1e-12)
        policies += [Tradeoff(willingness_to_pay=float(f"{scale * spread:.3g}")) for scale in (1, 10, 100)]
        # a budget that any of them keeps, in few digits
        budget = Budget(usd=float(f"{1.01 * known_M.max():.3g}"))
        policies += [QualityBar(quality=0.8), Tolerance(share=0.1), budget]
    return list(dict.fromkeys(policies))


def _known(cost: float) -> float | None:
    return None if np.isnan(cost) else float(cost)

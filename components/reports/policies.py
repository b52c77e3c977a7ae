"""What each policy of a router buys on prompts it wasn't trained on. Shapes: N prompts, M candidates."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Budget, Policy, QualityBar, Tradeoff, decide

Floats = NDArray[np.float64]
_BARS = np.linspace(0.3, 0.95, 14)
_SHARES = np.linspace(0, 1, 12)


def policy_curves(
    prediction: Prediction, quality_NM: Floats, cost_usd_NM: Floats, *, fallback: int
) -> dict[str, list[list[float]]]:
    """Policy -> [its parameter, USD per 1000 prompts, mean quality] at several settings, as realised.

    Only prompts whose outcomes and costs are all known count; empty where there are none, or a cost isn't predicted.
    The budget's parameter is USD a prompt.

    Args:
        prediction: of N prompts.
        quality_NM: observed quality in [0, 1]; nan where not observed.
        cost_usd_NM: USD per call; nan where unknown.
        fallback: index of the best single candidate.
    """
    whole_N = np.isfinite(quality_NM).all(axis=1) & np.isfinite(cost_usd_NM).all(axis=1)
    if not whole_N.any() or not np.isfinite(prediction.cost_usd_NM).all():
        return {}
    believed = Prediction(
        quality_NM=prediction.quality_NM[whole_N],
        cost_usd_NM=prediction.cost_usd_NM[whole_N],
        task_N=prediction.task_N[whole_N],
        margin_N=prediction.margin_N[whole_N],
        novel_N=prediction.novel_N[whole_N],
    )
    quality_KM, cost_KM = quality_NM[whole_N], cost_usd_NM[whole_N]
    row_K = np.arange(len(quality_KM))
    curves: dict[str, list[list[float]]] = {}
    for name, setting, policy in _policies(believed.cost_usd_NM):
        choice_K = decide(believed, policy, fallback=fallback).candidate_N
        paid, got = cost_KM[row_K, choice_K].mean(), quality_KM[row_K, choice_K].mean()
        curves.setdefault(name, []).append([setting, 1000 * float(paid), float(got)])
    return curves


def _policies(cost_KM: Floats) -> Iterator[tuple[str, float, Policy]]:
    mean_M = cost_KM.mean(axis=0)
    spread = max(float(mean_M.max() - mean_M.min()), 1e-12)
    for price in np.geomspace(0.1, 100, 13) * spread:
        yield "tradeoff", float(price), Tradeoff(willingness_to_pay=float(price))
    for bar in _BARS:
        yield "quality", float(bar), QualityBar(quality=float(bar))
    least, most = float(cost_KM.min(axis=1).mean()), float(cost_KM.max(axis=1).mean())
    for share in _SHARES:
        # a hair above the least, which rounding could make unreachable
        usd = least * (1 + 1e-9) + float(share) * (most - least)
        yield "budget", usd, Budget(usd=usd * len(cost_KM))

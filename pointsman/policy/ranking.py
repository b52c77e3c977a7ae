"""Whom to ask next if the choice fails: the other candidates in the policy's order. Shapes: N prompts, M candidates."""

import numpy as np
from numpy.typing import NDArray

from pointsman.policy.policy import Policy, QualityBar, Tolerance, Tradeoff

Floats = NDArray[np.float64]
_NOT = 9
"""Group of those that may not be asked."""


def rank(
    policy: Policy,
    choice_N: NDArray[np.intp],
    quality_NM: Floats,
    cost_usd_NM: Floats,
    eligible_NM: NDArray[np.bool_] | None = None,
    supported_NM: NDArray[np.bool_] | None = None,
) -> NDArray[np.intp]:
    """Candidates of each prompt, the choice first, then by what the policy wants; ineligible ones are -1 at the end.

    `best` and `budget` order by quality, `tradeoff` by quality less cost, a bar by cost among those that clear it and
    by quality among the rest. A candidate of unknown cost comes after those of known cost, except by quality; one
    without outcomes on the prompt's task after those that have some.

    Shape (N, M).

    >>> from pointsman.policy.policy import Best
    >>> rank(Best(), np.array([1]), np.array([[0.5, 0.6, 0.9]]), np.ones((1, 3))).tolist()
    [[1, 2, 0]]
    """
    group_NM, worth_NM = _worth(policy, quality_NM, np.where(np.isnan(cost_usd_NM), np.inf, cost_usd_NM))
    rows_N = np.arange(choice_N.shape[0])
    if supported_NM is not None:
        group_NM[~supported_NM] += 2
    if eligible_NM is not None:
        group_NM[~eligible_NM] = _NOT
    group_NM[rows_N, choice_N] = -1
    order_NM = np.lexsort((-quality_NM, -worth_NM, group_NM), axis=1)
    if eligible_NM is not None:
        order_NM[np.take_along_axis(group_NM, order_NM, axis=1) == _NOT] = -1
    return np.asarray(order_NM, dtype=np.intp)


def _worth(policy: Policy, quality_NM: Floats, cost_NM: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Group of each candidate, 0 before 1, and what it is worth within the group."""
    match policy:
        case Tradeoff(willingness_to_pay=price):
            return np.zeros(quality_NM.shape, np.int8), _less_cost(quality_NM, cost_NM, price)
        case QualityBar(quality=bar):
            clears_NM = quality_NM >= bar
        case Tolerance(share=share):
            best_N1, worst_N1 = quality_NM.max(axis=1, keepdims=True), quality_NM.min(axis=1, keepdims=True)
            clears_NM = best_N1 - quality_NM <= share * (best_N1 - worst_N1)
        case _:
            return np.zeros(quality_NM.shape, np.int8), quality_NM
    return (~clears_NM).astype(np.int8), np.where(clears_NM, -cost_NM, quality_NM)


def _less_cost(quality_NM: Floats, cost_NM: Floats, price: float) -> Floats:
    if price == float("inf"):
        return quality_NM
    # times the price: cost / price could overflow
    return np.asarray(quality_NM * price - cost_NM, dtype=np.float64)

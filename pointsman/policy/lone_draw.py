"""Exploration on a lone prompt, which is what a gateway asks about: `plausible` and `explore` without their arrays.

A dozen operations on arrays of a row cost more than a loop over the candidates. Shapes: M candidates.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.policy.exploration import Explored, unit


def draw_one(
    choice: int,
    quality_M: Sequence[float],
    cost_usd_M: Sequence[float],
    eligible_M: Sequence[bool] | None,
    *,
    gap_M: Sequence[float],
    cost_ratio: float,
    ceiling_usd: float,
    rate_1: NDArray[np.float64],
    decision_id: str,
) -> Explored:
    """What `plausible` and `explore` make of one prompt, number by number.

    Args:
        choice: what the policy chose.
        quality_M: predicted quality.
        cost_usd_M: expected cost, nan: unknown.
        eligible_M: who may be chosen; None: all.
        gap_M: see `plausible`, as the two that follow.
        cost_ratio: see there.
        ceiling_usd: see there.
        rate_1: probability of a draw, in [0, 1), shape (1,).
        decision_id: the randomness.

    >>> drawn = draw_one(0, [0.5, 0.5], [1, 1], None, gap_M=[0, 0], cost_ratio=1, ceiling_usd=1,
    ...                  rate_1=np.array([0.5]), decision_id="a")
    >>> drawn.propensity_NM(2).tolist()
    [[0.75, 0.25]]
    """
    chosen_usd, least = cost_usd_M[choice], quality_M[choice]
    most = _larger(cost_ratio * chosen_usd, ceiling_usd)
    unknown = chosen_usd != chosen_usd  # noqa: PLR0124  # nan alone isn't itself
    plausible_M = [
        quality >= least - gap and (unknown or cost <= most)
        for quality, cost, gap in zip(quality_M, cost_usd_M, gap_M, strict=True)
    ]
    if eligible_M is not None:
        plausible_M = [likely and may for likely, may in zip(plausible_M, eligible_M, strict=True)]
    plausible_M[choice] = True
    rate = float(rate_1[0])
    each = rate / plausible_M.count(True)
    stays = (1 - rate) + each
    picked, propensity, drawn = choice, stays, unit(decision_id)
    if drawn >= stays:
        passed, above = 0.0, drawn - stays
        for column, likely in enumerate(plausible_M):
            if likely and column != choice:
                passed += each
                if passed > above:
                    picked, propensity = column, each
                    break
    proposed_1 = np.array([choice], dtype=np.intp)
    return Explored(
        choice_N=proposed_1 if picked == choice else np.array([picked], dtype=np.intp),
        proposed_N=proposed_1,
        plausible_NM=np.array([plausible_M], dtype=np.bool_),
        rate_N=rate_1,
        propensity_N=np.array([propensity]),
    )


def _larger(one: float, other: float) -> float:
    """The larger of two numbers; of one that is unknown (nan) the other."""
    if one != one or other > one:  # noqa: PLR0124
        return other
    return one

"""Golden decisions: written into a bundle when it is made, and made again when it is loaded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pointsman.errors import BundleError
from pointsman.routing import Routing

CHECKED_ROWS = 8
"""Golden decisions that loading makes again."""
TOLERANCE = 0.02
"""Predicted quality may differ by so much between processors, whose int8 kernels round differently."""


def golden_rows(prompts: Sequence[str], routing: Routing) -> list[dict[str, Any]]:
    """Rows that a bundle keeps, to be decided again on loading: prompt, candidate and predicted quality."""
    return [
        {"prompt": prompt, "candidate": candidate, "quality": dict(zip(routing.candidates, row, strict=True))}
        for prompt, candidate, row in zip(prompts, routing.candidate, routing.quality_NM.tolist(), strict=True)
    ]


def check_golden(
    golden: Sequence[Mapping[str, Any]], decide: Callable[[list[str]], Routing], largest_margin: float
) -> None:
    """Decides golden rows again.

    A choice may differ only between candidates that were as good, within the tolerance.

    Args:
        golden: what `golden_rows` wrote.
        decide: the router's decisions on prompts, under the policy `best`.
        largest_margin: quality by which the guard may prefer the best single candidate to a better one at most.

    Raises:
        BundleError: a decision differs.
    """
    if not golden:
        return
    try:
        routing = decide([row["prompt"] for row in golden])
        expected_NM = np.array([[row["quality"][name] for name in routing.candidates] for row in golden], dtype=float)
        wanted = [row["candidate"] for row in golden]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(f"golden decisions can't be made again: {error}") from None
    # of a novel prompt the margin is everything
    slack_N = 2 * TOLERANCE + np.minimum(routing.margin_N, largest_margin)
    gap_N = np.abs(routing.quality_NM - expected_NM).max(axis=1)
    for row, (name, chosen) in enumerate(zip(wanted, routing.candidate, strict=True)):
        near = abs(routing.predicted_quality[row] - expected_NM[row, routing.candidates.index(name)])
        if not gap_N[row] <= TOLERANCE or (name != chosen and near > slack_N[row]):
            raise BundleError(
                f"golden decision {row} differs: {name} expected, {chosen} chosen, quality off by {gap_N[row]:.3g}"
            )

"""Which prompts a verdict rests on: the test split, and learning prompts by parts that hadn't seen them.

Shapes: N prompts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gate import Played

Floats = NDArray[np.float64]
FLATTERED = 2.0
"""Standard errors by which learning prompts may speak better of a router than test prompts, before they are left out.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """The prompts that are judged."""

    rows_N: NDArray[np.bool_]
    """Of all prompts."""
    wanted: int
    """Prompts that would be judged if everything about them were known."""
    test: int
    """Of the judged ones, in the test split."""
    flattered: bool
    """Learning prompts were left out, since they spoke too well of the router."""


def standing(challenger: Played, best_single: Played, test_N: NDArray[np.bool_]) -> Standing:
    """The prompts on which both are known: of the test split, and of the others unless they flatter the router.

    Cross-fitted choices are as good as new ones but for what has seen every prompt, such as the tasks' discovery. If
    that mattered, the gain on learning prompts would be greater than on test prompts.

    Args:
        challenger: on all prompts; nan where unknown.
        best_single: the same of the best single candidate.
        test_N: which prompts are of the test split.
    """
    known_N = ~np.isnan(challenger.quality_N) & ~np.isnan(best_single.quality_N)
    test = known_N & test_N
    rest = known_N & ~test_N
    flattered = False
    if test.any() and rest.any():
        seen, unseen = (challenger.take(rows).above(best_single.take(rows)) for rows in (rest, test))
        flattered = seen.mean - unseen.mean > FLATTERED * float(np.hypot(seen.error, unseen.error))
    rows_N = test if flattered else known_N
    return Standing(
        rows_N=rows_N,
        wanted=int(test_N.sum()) if flattered else int(test_N.size),
        test=int(test.sum()),
        flattered=flattered,
    )

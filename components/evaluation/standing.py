"""Which prompts a verdict rests on: the test split, and learning prompts by parts that hadn't seen them.

Shapes: N prompts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.gate import Played
from components.evaluation.paired import Moments

_Pair = tuple[Played, Played]
_ROUNDING = 1e-9
FLATTERED = 2.0
"""Standard errors by which learning prompts may speak better of a router than test prompts, before they are left out.

Where nothing flatters, about one in 44 is beyond them in quality, and one in 44 in cost.
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
    flattered_in: tuple[str, ...]
    """What learning prompts spoke too well of, for which they were left out: quality, cost; empty: they count."""

    @property
    def flattered(self) -> bool:
        """Whether learning prompts were left out."""
        return bool(self.flattered_in)


def standing(challenger: Played, best_single: Played, test_N: NDArray[np.bool_]) -> Standing:
    """The prompts on which both are known: of the test split, and of the others unless they flatter the router.

    Cross-fitted choices are as good as new ones but for what has seen every prompt, such as the tasks' discovery. If
    that mattered, the gain on learning prompts would be greater than on test prompts, or the relative cost smaller.

    Args:
        challenger: on all prompts; nan where unknown.
        best_single: the same of the best single candidate.
        test_N: which prompts are of the test split.
    """
    known_N = ~np.isnan(challenger.quality_N) & ~np.isnan(best_single.quality_N)
    test, rest = known_N & test_N, known_N & ~test_N
    found: tuple[str, ...] = ()
    if test.any() and rest.any():
        found = tuple(_flattered(*((challenger.take(rows), best_single.take(rows)) for rows in (rest, test, known_N))))
    return Standing(
        rows_N=test if found else known_N,
        wanted=int(test_N.sum()) if found else int(test_N.size),
        test=int(test.sum()),
        flattered_in=found,
    )


def _flattered(seen: _Pair, unseen: _Pair, every: _Pair) -> Iterator[str]:
    """What the first of two parts of all prompts speaks too well of."""
    better, base = (challenger.above(best_single) for challenger, best_single in (seen, unseen))
    if better.mean - base.mean > FLATTERED * float(np.hypot(better.error, base.error)):
        yield "quality"
    paid, due, overall = (challenger.paid_beside(best_single) for challenger, best_single in (seen, unseen, every))
    if isinstance(paid, Moments) and isinstance(due, Moments) and isinstance(overall, Moments):
        # Costs are skewed: a test split that happens to hold no choice that differs, or no costly one, has too small an
        # error of its own. If nothing flatters, both parts vary as all prompts do (a score test; Rao 1948).
        as_all = overall.error * overall.count / np.sqrt(paid.count * due.count)
        error = max(float(np.hypot(paid.error, due.error)), as_all)
        if due.mean - paid.mean > FLATTERED * error + _ROUNDING:
            yield "cost"

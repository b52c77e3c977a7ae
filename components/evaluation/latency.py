"""What routing a prompt takes, as a figure that two runs of the same training agree on."""

import math
import statistics
import time
from collections.abc import Callable, Sequence


def milliseconds_per_prompt(
    route: Callable[[list[str]], object],
    prompts: Sequence[str],
    *,
    rounds: int = 5,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """Mean over prompts of the quickest of some rounds, one prompt at a time.

    Processor time, which a busy machine doesn't stretch as it does the clock on the wall; and the quickest, because
    other threads of the process only ever add to it.

    Args:
        route: what is timed; called with one prompt.
        prompts: at least one.
        rounds: times each is routed, >= 1.
        clock: seconds of processor time.

    Raises:
        ValueError: no prompts or no rounds.
    """
    if not prompts or rounds < 1:
        raise ValueError(f"timing needs prompts and rounds, got {len(prompts)} and {rounds}")
    quickest = [math.inf] * len(prompts)
    for _ in range(rounds):
        for row, prompt in enumerate(prompts):
            start = clock()
            route([prompt])
            quickest[row] = min(quickest[row], clock() - start)
    return 1000 * statistics.fmean(quickest)


def rounded_up(milliseconds: float, budget: float, parts: int = 5) -> float:
    """The least multiple of a part of the budget that isn't below the figure.

    A bundle is named by its content, so a figure in it may not depend on how busy the machine was.

    >>> rounded_up(7.3, 250.0), rounded_up(50.0, 250.0), rounded_up(251.0, 250.0)
    (50.0, 50.0, 300.0)
    """
    return math.ceil(milliseconds * parts / budget) * budget / parts

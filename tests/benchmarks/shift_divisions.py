"""Training and test prompts that differ as the prompts of tomorrow may differ from today's. Shapes: N prompts."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from components.evaluation.folds import grouped_folds
from components.evaluation.shifts import Shift, by_date, leave_one_out, untouched
from tests.benchmarks.shift_logs import Logs
from tests.benchmarks.simulated_board import SIMULATED

FIFTHS = 5
FEWEST = 100
"""Prompts of a language or benchmark that is left out."""
KINDS = ("in distribution", "length", "date", "language")


def divisions(logs: Logs, kind: str, fifths: int, seed: int) -> Iterator[Shift]:
    """The divisions of one kind that the logs allow; none where they don't.

    Args:
        logs: undivided.
        kind: one of KINDS.
        fifths: how many of the five random ones, in [1, 5].
        seed: of these.
    """
    board = logs.board
    if kind == "in distribution":
        folds = grouped_folds(board.group_N, board.benchmark_N, FIFTHS, seed)
        for number, (train_K, test_K) in enumerate(islice(folds, fifths), start=1):
            yield Shift(name=f"fifth {number}", train_K=train_K, test_K=test_K)
    elif kind == "length":
        yield by_length(logs.characters_N, board.group_N, longest=True)
        yield by_length(logs.characters_N, board.group_N, longest=False)
    elif kind == "date":
        # the simulated world's dates say nothing
        if logs.name != SIMULATED and np.unique(board.date_N[~np.isnat(board.date_N)]).size > 1:
            yield by_date(board.date_N, group_N=board.group_N)
    elif np.unique(logs.language_N[logs.language_N != ""]).size > 1:
        yield from leave_one_out(logs.language_N, FEWEST, board.group_N)


def by_length(length_N: NDArray[np.integer], group_N: NDArray[np.integer], *, longest: bool) -> Shift:
    """Tests on the longest fifth, or the shortest, and trains on the others that belong with none of it.

    Args:
        length_N: of each prompt; equal ones stay together, with the others where they straddle the bound.
        group_N: prompts that belong together, below 0: to nothing.
        longest: or shortest.
    """
    signed_N = length_N if longest else -length_N
    bound = np.sort(signed_N)[-(signed_N.size // FIFTHS) - 1]
    test_K, rest_K = np.flatnonzero(signed_N > bound), np.flatnonzero(signed_N <= bound)
    name = "longest fifth" if longest else "shortest fifth"
    return Shift(name=name, train_K=untouched(rest_K, test_K, group_N), test_K=test_K)

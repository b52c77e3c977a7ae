"""What a router gains on a benchmark that it was never trained on. Shapes: N prompts, M candidates; K a choice of rows.

Whoever trains the router passes it as a function, so that nothing here depends on what a router is made of.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.block import common_block
from components.evaluation.bootstrap import Interval, paired_difference
from components.evaluation.scoring import choose
from components.evaluation.shifts import leave_one_out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A router trained on some of the prompts."""

    scores: Callable[[NDArray[np.intp]], NDArray[np.float64]]
    """Rows (K,) -> scores (K, M); each row's greatest is the router's choice."""
    best_single: int
    """Column of the candidate that is best on the prompts it was trained on."""


FitRows = Callable[[NDArray[np.intp]], Trained | None]
"""Trains a router on these rows alone; None where they can't train one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutGain:
    """How a router did on one benchmark that was kept from it."""

    benchmark: str
    prompts: int
    """Compared."""
    gain: Interval
    """Quality less that of the best single candidate of the other benchmarks, paired."""
    fallback_share: float
    """Share of prompts on which the choice was that candidate, in [0, 1]."""


def held_out_gains(
    fit: FitRows,
    quality_NM: NDArray[np.float64],
    benchmark_N: NDArray[np.str_],
    *,
    seed: int,
    group_N: NDArray[np.integer] | None = None,
    fewest: int = 30,
    most: int = 12,
    part: tuple[int, int] = (0, 1),
) -> tuple[HeldOutGain, ...]:
    """The gain on each benchmark in turn, with a router trained on all the others.

    A near-duplicate of its prompts, or another turn of their conversations, isn't learnt from either.

    Args:
        fit: trains on the rows it is given and sees no other outcome.
        quality_NM: quality in [0, 1]; nan where not observed.
        benchmark_N: the logs' label of each prompt; empty: never held out.
        seed: of the bootstrap.
        group_N: prompts that belong together, such as turns of a conversation, below 0: to nothing; intervals draw
            them together. None: all are independent.
        fewest: prompts that a benchmark needs to be judged, >= 1.
        most: benchmarks that are held out, the largest ones, >= 1; each costs a training.
        part: its number, and how many parts there are: the benchmarks are dealt out to them by size.

    Returns:
        Ordered by name. Left out: benchmarks whose prompts share no two observed candidates, and those without which
        (and what belongs with them) no router can be trained. Empty where the logs have a single benchmark.
    """
    names, count = np.unique(benchmark_N[benchmark_N != ""], return_counts=True)
    if len(names) < 2:
        return ()
    # stable, so that equal sizes keep the order of their names
    largest = set(names[np.argsort(-count, kind="stable")][:most][part[0] :: part[1]].tolist())
    gains = []
    for shift in leave_one_out(benchmark_N, fewest, group_N):
        trained = fit(shift.train_K) if shift.name in largest else None
        if trained is None:
            continue
        seen_KM = ~np.isnan(quality_NM[shift.test_K])
        try:
            block = common_block(seen_KM, required=(trained.best_single,))
        except ValueError:
            continue
        rows_K = shift.test_K[block.rows_K]
        if rows_K.size < fewest:
            continue
        quality_KC = quality_NM[np.ix_(rows_K, block.columns_C)]
        choice_K = choose(trained.scores(rows_K), block.columns_C)
        single = int(np.flatnonzero(block.columns_C == trained.best_single)[0])
        got_K = np.take_along_axis(quality_KC, choice_K[:, None], axis=1)[:, 0]
        gains.append(
            HeldOutGain(
                benchmark=shift.name,
                prompts=int(rows_K.size),
                gain=paired_difference(
                    got_K, quality_KC[:, single], seed, None if group_N is None else group_N[rows_K]
                ),
                fallback_share=float((choice_K == single).mean()),
            )
        )
    return tuple(gains)

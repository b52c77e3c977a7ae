"""Peers' own packages beside our router and our reimplementations of them: complete grades, the same vectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from components.evaluation.bootstrap import Interval, resampled_means
from tests.benchmarks.own_code_case import OF_TWO, ROUTER, TWO, judge, reimplementation
from tests.benchmarks.own_code_judged import Case, Floats, Judged, keep, kept
from tests.benchmarks.peer_process import BANDIT, PEERS
from tests.benchmarks.processes import as_they_come
from tests.benchmarks.routing import Skipped
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table

MEAN = "mean over blocks"


def run(spread: Spread, *, pythons: Mapping[str, Path]) -> Table:
    """Every block and seed.

    Args:
        spread: usually all blocks; divisions that its file of rows holds already aren't repeated.
        pythons: peer -> the interpreter of its environment, see its requirements.txt; a peer without one is left out.

    Raises:
        Skipped: no blocks, or no environment of a peer.
        ValueError: the file of rows holds something else.
    """
    wanted = {name: python for name, python in pythons.items() if name != BANDIT}
    if not wanted:
        raise Skipped(f"no environment of a peer: {PEERS}/NAME/requirements.txt say how, then --peer NAME=PYTHON")
    found = [block for block in spread.encoded() if block.name != SIMULATED]
    cases = [Case(block=block, seed=seed) for seed in range(spread.seeds) for block in found]
    judged = kept(spread.out, cases) if spread.out else {}
    waiting = [case for case in cases if case not in judged]
    arguments = [(case, spread.data, spread.stored, wanted) for case in waiting]
    for place, one in as_they_come(judge, arguments, spread.workers):
        judged[waiting[place]] = one
        print(
            one.name, one.note, {method: round(float(got.mean()), 4) for method, got in one.quality.items()}, flush=True
        )
        if spread.out:
            keep(spread.out, one)
    return table_of([judged[case] for case in cases])


def table_of(judged: Sequence[Judged]) -> Table:
    """Rows of every block and method, then of the mean over blocks; notes of each division as summary."""
    blocks = list(dict.fromkeys(one.case.block for one in judged))
    by_block = [[one for one in judged if one.case.block == block] for block in blocks]
    rows = [row for of_block in by_block for row in rows_of([of_block])]
    # blocks of one folder share prompts, so that only the first of them is independent of the rest
    first = {block.folder: place for place, block in reversed(list(enumerate(blocks)))}
    apart = [by_block[place] for place in sorted(first.values())]
    if len(apart) > 1:
        rows += rows_of(apart)
    return Table(
        name="own_code",
        claim=(
            "Quality of what is chosen on test prompts by methods that learnt from complete grades of the same prompts "
            "and the same vectors. Code: `own` is the peer's own package (Avengers-Pro, which has none: from its "
            "paper), `ours` our router (quick training, policy `best` unless said) and our reimplementations, in the "
            "peer's configuration on the vectors alone, or as `compare` runs them. Router less it: of `routellm`, "
            "which knows two candidates, the router among these two. `best first`: candidates by their mean quality, "
            "where the peer takes the first of equals. 95 % bootstrap over groups of near-duplicates, all divisions "
            "together. USD per 1,000 prompts. "
            f"{MEAN.capitalize()}: each weighs the same; of blocks that share prompts the first alone."
        ),
        rows=rows,
        summary={one.name: one.note for one in judged},
    )


def rows_of(by_block: Sequence[Sequence[Judged]]) -> list[dict[str, Cell]]:
    """A row for each method that all divisions of these blocks have, the mean over the blocks."""
    every = [one for of_block in by_block for one in of_block]
    methods = [method for method in every[0].quality if all(method in one.quality for one in every)]
    pairs = [(reference(method), method) for method in methods]
    pairs += [(ours, method) for method in methods if (ours := reimplementation(method)) in methods]
    interval = dict(zip(pairs, paired(by_block, pairs), strict=True))
    rows: list[dict[str, Cell]] = []
    for method in methods:
        lead, ours = interval[reference(method), method], reimplementation(method)
        cost = float(np.mean([np.mean([1000 * one.cost_usd[method].mean() for one in found]) for found in by_block]))
        row: dict[str, Cell] = {
            "block": every[0].case.block.name if len(by_block) == 1 else MEAN,
            "method": method,
            "code": "ours" if method.startswith(("ours", ROUTER)) else "own",
            "quality": float(np.mean([np.mean([one.quality[method].mean() for one in found]) for found in by_block])),
            "USD": cost if np.isfinite(cost) else None,
        }
        if method != reference(method):
            row |= {"router less it": lead.mean, "low": lead.low, "high": lead.high}
        if ours is not None and (ours, method) in interval:
            gap = interval[ours, method]
            row |= {"ours less it": gap.mean, "ours low": gap.low, "ours high": gap.high}
        rows.append(row)
    return rows


def reference(method: str) -> str:
    """What of our router a method is compared with."""
    return OF_TWO if method.startswith(TWO) or method.endswith("of the two") else ROUTER


def paired(by_block: Sequence[Sequence[Judged]], pairs: Sequence[tuple[str, str]]) -> list[Interval]:
    """Mean over blocks of quality of the first less that of the second, for each pair, with its 95 % interval.

    A block's divisions are pooled; a group is drawn with all that it has in any of them.
    """
    mean_K, means_RK = np.zeros(len(pairs)), np.zeros((1, len(pairs)))
    for seed, found in enumerate(by_block):
        gap_NK: Floats = np.concatenate(
            [np.stack([one.quality[ours] - one.quality[theirs] for ours, theirs in pairs], axis=1) for one in found]
        )
        group_N = np.concatenate([one.group_K for one in found])
        mean_K = mean_K + gap_NK.mean(axis=0) / len(by_block)
        means_RK = means_RK + resampled_means(gap_NK, seed, 2000, group_N) / len(by_block)
    low_K, high_K = np.quantile(means_RK, [0.025, 0.975], axis=0)
    return [
        Interval(mean=float(mean), low=float(low), high=float(high))
        for mean, low, high in zip(mean_K, low_K, high_K, strict=True)
    ]

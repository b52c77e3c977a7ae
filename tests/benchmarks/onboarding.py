"""A candidate left out of training and brought back with few probes, against a training with it from the beginning."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from components.tables.store import read_tables
from flows.stations.blocks import Block
from tests.benchmarks.onboarding_case import PROBES, Case, figures
from tests.benchmarks.onboarding_peer import peer_figures
from tests.benchmarks.simulated_board import CANDIDATES, SIMULATED
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table

_BLOCKS = ("pareto", "frontier-quality", "llmrouter")


def run(spread: Spread, *, python: Path | None = None) -> Table:
    """Every block, division, candidate and number of probes.

    Args:
        spread: usually pareto, frontier-quality and llmrouter.
        python: of ParetoBandit's own environment, which is then shown the same; None: it isn't set beside.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    sizes = {block: _candidates(block, spread.data) for block in spread.encoded(_BLOCKS)}
    cases = [
        Case(block=block, seed=seed, newcomer=newcomer)
        for seed in range(spread.seeds)
        for block, size in sorted(sizes.items(), key=lambda one: -one[1])
        for newcomer in (None, *range(size))
    ]
    table = table_of(spread.rows(figures, cases))
    if python is None:
        return table
    divisions = [(block, seed) for seed in range(spread.seeds) for block in sizes]
    peer = [peer_figures(block, seed, spread.data, spread.stored, python) for block, seed in divisions]
    return replace(table, summary={**table.summary, **_peer_summary([block.name for block, _ in divisions], peer)})


def _peer_summary(blocks: Sequence[str], found: Sequence[Mapping[str, Cell]]) -> dict[str, Cell]:
    """The peer's mean regret by block and number of probes."""
    return {
        f"{name}, {block}": float(
            np.mean([float(row[name] or 0) for of, row in zip(blocks, found, strict=True) if of == block])
        )
        for block in dict.fromkeys(blocks)
        for name in found[0]
    }


def _candidates(block: Block, data: Path) -> int:
    if block.name == SIMULATED:
        return CANDIDATES
    return len(block.candidates) or read_tables(data / block.folder).candidates.height


def table_of(rows: Sequence[Mapping[str, Cell]]) -> Table:
    """Regrets against the training with everybody."""
    full = {(row["block"], row["seed"]): float(row["quality"] or 0) for row in rows if not row["newcomer"]}
    shown: list[dict[str, Cell]] = []
    for row in sorted(rows, key=lambda row: (str(row["block"]), str(row["newcomer"]), int(row["seed"] or 0))):
        if row["newcomer"] and (row["block"], row["seed"]) in full:
            whole = full[row["block"], row["seed"]]
            regrets = {f"regret {count}": whole - float(row[f"with {count}"] or 0) for count in PROBES}
            names = {name: row[name] for name in ("block", "newcomer", "seed")}
            without = {"without": row["quality"], "full": whole}
            shown.append(names | without | regrets | {name: row[name] for name in ("changed", "seconds")})
    mean = {
        f"mean regret with {count} probes, {block}": float(
            np.mean([float(row[f"regret {count}"] or 0) for row in shown if row["block"] in (block, *every)])
        )
        for count in PROBES
        for block, every in [*((str(name), ()) for name in sorted({str(b) for b, _ in full})), ("all", _names(full))]
    }
    return Table(
        name="onboarding",
        claim=(
            "Each candidate left out of training and brought back with probes drawn evenly over the labels (mean of "
            "draws): quality of the choices on test prompts, policy `best`. Without it, with a full training, and how "
            "much less than that with so many probes; changed: choices between other candidates that differ."
        ),
        rows=shown,
        summary={
            **mean,
            "choices between others that changed": sum(int(row["changed"] or 0) for row in shown),
            "slowest, seconds": max(float(row["seconds"] or 0) for row in shown),
        },
    )


def _names(full: Mapping[tuple[Cell, Cell], float]) -> tuple[str, ...]:
    return tuple(sorted({str(block) for block, _ in full}))

"""A candidate left out of training and brought back with few probes, against a training with it from the beginning."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from components.tables.store import read_tables
from flows.stations.blocks import Block
from tests.benchmarks.onboarding_case import PROBES, Case, figures
from tests.benchmarks.simulated_board import CANDIDATES, SIMULATED
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table

_BLOCKS = ("pareto", "frontier-quality", "llmrouter")


def run(spread: Spread) -> Table:
    """Every block, division, candidate and number of probes.

    Args:
        spread: usually pareto, frontier-quality and llmrouter.

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
    rows = spread.rows(figures, cases)
    return table_of(rows)


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

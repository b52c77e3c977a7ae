"""Routers from logs of one answer a prompt, judged on complete outcomes of prompts that were never seen."""

from collections.abc import Sequence

import numpy as np

from tests.benchmarks.one_answer_case import Case, figures
from tests.benchmarks.one_answer_logs import LOGGINGS
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table


def run(spread: Spread, *, loggings: Sequence[str] = ()) -> Table:
    """Every block, way of logging and seed.

    Args:
        spread: usually the standard blocks and pareto.
        loggings: `complete` or of LOGGINGS; none: all.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    chosen = spread.encoded()
    cases = [
        Case(block=block, logging=logging, seed=seed)
        for seed in range(spread.seeds)
        for block in chosen
        for logging in loggings or ("complete", *LOGGINGS)
    ]
    rows = spread.rows(figures, cases)
    order = [block.name for block in chosen]
    rows.sort(key=lambda row: (order.index(str(row["block"])), int(row["seed"] or 0)))
    return Table(
        name="one_answer",
        claim=(
            "Quality on the complete outcomes of test prompts, policy `best`, of routers trained on logs thinned to "
            "one answer a prompt: uniform; 70 % by the cheapest (skewed); 90 % by the best (greedy); by the prompt's "
            "length (contextual); a tenth complete. Known best: the single candidate that the log shows as best. "
            "Policy: the operating policy; its cost relative to the known best's, its gain in quality, and the gain "
            "that the gate would believe by the test prompts' single answers (doubly robust, 95 % interval)."
        ),
        rows=rows,
        summary={
            "intervals that cover the truth": float(np.mean([bool(row["covered"]) for row in rows])),
            "worst loss to the known best, best": min(_loss(row) for row in rows),
            "worst loss to the known best, operating policy": min(float(row["gain"] or 0) for row in rows),
        },
    )


def _loss(row: dict[str, Cell]) -> float:
    return float(row["router"] or 0) - float(row["known best"] or 0)

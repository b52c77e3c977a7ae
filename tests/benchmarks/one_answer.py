"""Routers from logs of one answer a prompt, judged on complete outcomes of prompts that were never seen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flows.stations.blocks import Block
from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.one_answer_case import Case, figures
from tests.benchmarks.one_answer_logs import LOGGINGS, write_vectors
from tests.benchmarks.processes import rows_as_they_come
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.table import Cell, Table


def run(
    data: Path,
    cache: Path,
    *,
    blocks: Sequence[str] = (),
    loggings: Sequence[str] = (),
    seeds: int = 2,
    workers: int = 1,
    vectors: Path | None = None,
    out: Path | None = None,
) -> Table:
    """Every block, way of logging and seed.

    Args:
        data: folder of the standard blocks.
        cache: where the encoder is exported to.
        blocks: names; none: the standard blocks and pareto. `simulated` draws a world for each seed.
        loggings: `complete` or of LOGGINGS; none: all.
        seeds: divisions of each block, >= 1.
        workers: processes, of one thread each, >= 1.
        vectors: folder of the prompts' vectors, made where it lacks some; None: below the cache.
        out: JSON file of the rows, written anew after each: what is there when time is over stays.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    chosen = chosen_blocks(data, blocks)
    vectors = vectors or cache / "vectors"
    write_vectors(data, dict.fromkeys(block.folder for block in chosen), cache, vectors)
    if SIMULATED in blocks:
        chosen.append(Block(name=SIMULATED))
    cases = [
        Case(block=block, logging=logging, seed=seed)
        for seed in range(seeds)
        for block in chosen
        for logging in loggings or ("complete", *LOGGINGS)
    ]
    rows = rows_as_they_come(figures, [(case, data, vectors) for case in cases], workers, out)
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

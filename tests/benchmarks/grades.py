"""What a judge's grades, corrected ones and the truth make of a router, side by side on the truth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.grades_case import CORRECTED, JUDGE, TRUE, WORLDS, Case, figures
from tests.benchmarks.processes import as_they_come
from tests.benchmarks.routing import Skipped
from tests.benchmarks.table import Cell, Table


def run(data: Path, cache: Path, *, seeds: int = 5, workers: int = 1) -> Table:
    """Both worlds, each with many divisions.

    Args:
        data: folder of the standard blocks.
        cache: where the encoder is exported to.
        seeds: divisions, and simulated worlds, >= 1.
        workers: processes of one thread each, >= 1.

    Raises:
        Skipped: the grades aren't there.
    """
    if not (data / "pareto" / "grades.parquet").is_file():
        raise Skipped(
            f"no {data / 'pareto' / 'grades.parquet'}: name a folder that holds the standard blocks by --logs"
        )
    cases = [Case(world=world, seed=seed) for world in WORLDS for seed in range(seeds)]
    rows: list[dict[str, Cell]] = []
    for _, found in as_they_come(figures, [(case, data, cache) for case in cases], workers):
        rows += found
    return Table(
        name="grades",
        claim=(
            f"Routers trained on a judge's grades, on those corrected by {CORRECTED} better ones a candidate, and on "
            f"the truth; policy `best`, judged on the truth of test prompts, mean of divisions. pareto: {JUDGE} judges "
            f"and {TRUE} counts as true. simulated: a judge whose bias differs by candidate. Believed gain: what the "
            "grades that a router is trained on say of its gain over the best single candidate (corrected: "
            "prediction-powered); covered: 95 % intervals that hold the true gain."
        ),
        rows=[_mean(rows, world, name) for world in WORLDS for name in ("judge", "corrected", "truth")],
        summary={"divisions": seeds},
    )


def _mean(rows: Sequence[Mapping[str, Cell]], world: str, name: str) -> dict[str, Cell]:
    chosen = [row for row in rows if row["world"] == world and row["trained on"] == name]
    figures = ("router", "its best single", "best single", "true gain", "believed gain", "covered")
    means = {figure: float(np.mean([float(row[figure] or 0) for row in chosen])) for figure in figures}
    return {"world": world, "trained on": name, **means}

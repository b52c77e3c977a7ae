"""Task discovery by graph against density: seconds, memory, what they find, and how both grow."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.child import measure
from tests.benchmarks.table import Cell, Table

SIZES: dict[str, dict[str, tuple[int, ...]]] = {
    "quick": {"graph": (10_000, 50_000), "density": (10_000,)},
    "large": {"graph": (10_000, 50_000, 200_000), "density": (10_000, 50_000, 200_000)},
}


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float | None:
    """Slope of log seconds over log size by least squares: 1 linear, 2 quadratic; None for a single size.

    >>> exponent([10, 100], [1.0, 10.0])
    1.0
    """
    if len(set(sizes)) < 2:
        return None
    xs, ys = [math.log(size) for size in sizes], [math.log(second) for second in seconds]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def run(sizes: Mapping[str, Sequence[int]], *, seed: int = 0) -> Table:
    """Both methods on the same planted prompts of each size, one process a case."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for size in sorted({size for wanted in sizes.values() for size in wanted}):
        for method, wanted in sizes.items():
            if size in wanted:
                found[method, size] = measure("discovery_case", [method, str(size), str(seed)], threads=1)
    rows = [_row(method, size, found) for method, size in found]
    summary: dict[str, Cell] = {}
    for method, wanted in sizes.items():
        grown = exponent(wanted, [found[method, size]["cpu_seconds"] for size in wanted])
        summary[f"growth exponent of {method}, CPU seconds"] = grown
    return Table(
        name="discovery",
        claim=(
            "Leiden on a neighbour graph against UMAP and HDBSCAN, defaults of both, one thread, on unit embeddings of "
            "384 dimensions with 300 planted clusters. Quality is drawn independently of the clusters, so the graph "
            "learns nothing from it. Seconds are of a second call, after imports and compilation, by the clock on the "
            "wall; CPU seconds are the processor's, which other work on the machine doesn't stretch. Peak memory is of "
            "the whole process. Unassigned prompts count as one more cluster in the ARI. Below 20,000 prompts the "
            "graph compares all pairs, above it searches approximately; recall is of true neighbours, on a sample. "
            "Ratios: density over graph, time in CPU seconds. Wanted of the graph at 200,000 prompts: 240 seconds, "
            "3 GiB, recall 0.95, ARI 0.9."
        ),
        rows=rows,
        summary=summary,
    )


def _row(method: str, size: int, found: Mapping[tuple[str, int], Mapping[str, Any]]) -> dict[str, Cell]:
    mine, graph, density = found[method, size], found.get(("graph", size)), found.get(("density", size))
    pair = (graph, density) if method == "density" else (None, None)

    def ratio(key: str) -> float | None:
        return pair[1][key] / pair[0][key] if pair[0] and pair[1] else None

    return {
        "method": method,
        "prompts": size,
        "seconds": mine["seconds"],
        "CPU seconds": mine["cpu_seconds"],
        "time ratio": ratio("cpu_seconds"),
        "peak MB": mine["peak_mb"],
        "memory ratio": ratio("peak_mb"),
        "recall": mine["recall"],
        "ARI": mine["ari"],
        "tasks": mine["tasks"],
        "unassigned": mine["unassigned"],
    }

"""What routing costs on top of encoding prompts, alone and many at a time, in a published router."""

from pathlib import Path
from typing import Any

from tests.benchmarks.child import measure
from tests.benchmarks.table import Table


class Skipped(RuntimeError):
    """There is nothing to measure; says why."""


def measure_published(case: str, published: Path, *arguments: float | Path) -> dict[str, Any]:
    """What a benchmark's child finds on one thread of the router in service.

    Raises:
        Skipped: no router is published.
    """
    if not (published / "current.json").is_file():
        raise Skipped(f"no router is published in {published}: run `make run` first")
    found: dict[str, Any] = measure(case, [str(published.resolve()), *map(str, arguments)], threads=1)
    return found


def run(published: Path, *, rounds: int = 20) -> Table:
    """Times the router in service on its own golden prompts.

    Raises:
        Skipped: no router is published.
    """
    found = measure_published("routing_case", published, rounds)
    return Table(
        name="routing",
        claim=(
            "What routing adds to the encoder in one process on one thread, in processor time. Encode: tokenising "
            "and encoding the prompts, nothing else. Beside: features, both stages, calibration, costs, novelty, "
            "policy and the answer's arrays; for prompts alone, the median of routing less the median of encoding the "
            "same prompt, in turn, so that neither finds its weights in the processor's cache. HTTP is in the serving "
            "benchmark."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

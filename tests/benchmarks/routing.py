"""What routing costs on top of encoding a prompt, in a published router at batch 1."""

from pathlib import Path
from typing import Any

from tests.benchmarks.child import measure
from tests.benchmarks.table import Table


class Skipped(RuntimeError):
    """There is nothing to measure; says why."""


def run(published: Path, *, rounds: int = 20) -> Table:
    """The reigning router's own golden prompts, one at a time.

    Raises:
        Skipped: no router is published.
    """
    if not (published / "current.json").is_file():
        raise Skipped(f"no router is published in {published}: run `make run` first")
    found: dict[str, Any] = measure("routing_case", [str(published.resolve()), str(rounds)], threads=1)
    return Table(
        name="routing",
        claim=(
            "Routing one prompt against only tokenising and encoding it, one thread, the golden prompts of the "
            "published router; milliseconds are the mean over prompts of each one's median. Overhead: what features, "
            "both stages, calibration, costs and the policy add, over the encoder."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

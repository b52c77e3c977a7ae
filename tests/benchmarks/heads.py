"""Task heads against general heads, as a gateway evaluates them."""

from typing import Any

from tests.benchmarks.child import measure
from tests.benchmarks.table import Table


def run(*, rounds: int = 100) -> Table:
    """Both in one process, in turn, at several batch sizes."""
    found: dict[str, Any] = measure("heads_case", [str(rounds)], threads=1)
    return Table(
        name="heads",
        claim=(
            "Quality logits of 11 candidates in numpy, one thread, 332 tasks that all have heads of their own, every "
            "prompt in a task drawn at random; median milliseconds. Both include the shared trunk (384 features, 96 "
            "hidden units)."
        ),
        rows=found["rows"],
        summary={},
    )

"""A training step of the implicit layer against that of a two-layer network of the same width."""

from typing import Any

from tests.benchmarks.child import measure
from tests.benchmarks.table import Table


def run(*, rounds: int = 50) -> Table:
    """Both networks in one process, steps in turn."""
    found: dict[str, Any] = measure("layer_case", [str(rounds)], threads=2)
    return Table(
        name="layer",
        claim=(
            "Forward, backward and AdamW step (for the implicit layer also the projection of A), batch 256, "
            "384 inputs, 128 hidden units or states, 11 outputs, relative tolerance 1e-4 a sample, two threads; median "
            "milliseconds, ratio to the two-layer network. Trained: after 150 steps on these rows, its norm at the "
            "bound. At the bound A is dense and positive too, rows summing to 0.95: the largest spectral radius that "
            "the layer allows."
        ),
        rows=found["rows"],
        summary={},
    )

"""What a server of the published router answers under load, beside its encoder alone."""

from pathlib import Path

from tests.benchmarks.routing import measure_published
from tests.benchmarks.table import Table


def run(published: Path, *, seconds: float = 3.0, soak: float = 0.0) -> Table:
    """The router in service behind HTTP on loopback; a soak of 64 connections where seconds are given for it.

    Raises:
        Skipped: no router is published.
    """
    found = measure_published("serving_case", published, seconds, soak)
    return Table(
        name="serving",
        claim=(
            "One prompt a request on keep-alive connections over loopback; the load's own process runs on the same "
            "processors. Gathered: requests that wait together are routed together, up to 16 prompts. Processor ms: of "
            "the server a request, HTTP included. Encoder alone: tokenising and encoding the same prompts, one at a "
            "time in one process, the quickest of 9 rounds; overhead is what features, both stages, calibration, costs "
            "and the policy add to it there."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

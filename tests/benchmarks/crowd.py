"""A server with log, exploration and shadow in a crowd: long prompts beside short ones, a soak, and a goodbye."""

from pathlib import Path

from tests.benchmarks.routing import measure_published
from tests.benchmarks.table import Table


def run(published: Path, *, seconds: float = 5.0, soak: float = 60.0) -> Table:
    """The router in service behind HTTP on loopback.

    Raises:
        Skipped: no router is published.
    """
    found = measure_published("crowd_case", published, seconds, soak)
    return Table(
        name="crowd",
        claim=(
            "One server with decision log, exploration of 5 % and the same router as its shadow. Eight connections "
            "ask for short prompts, first alone, then beside two that ask for prompts of 100,000 characters: the p99 "
            "of the short ones should at most double. Then a soak at 64 connections, without an error and with flat "
            "memory. Goodbye: SIGTERM while 32 connections ask; every decision that was made is answered and logged."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

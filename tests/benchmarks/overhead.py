"""What the decision log, exploration and a shadow cost a server beside answering."""

from pathlib import Path

from tests.benchmarks.routing import measure_published
from tests.benchmarks.table import Table


def run(published: Path, *, rounds: int = 12, seconds: float = 1.0) -> Table:
    """The router in service behind HTTP on loopback, with more and more beside it.

    Raises:
        Skipped: no router is published.
    """
    found = measure_published("overhead_case", published, rounds, seconds)
    return Table(
        name="overhead",
        claim=(
            "One short prompt a request on keep-alive connections over loopback. Processor ms: of the server a "
            "request, all threads, HTTP included; the median of rounds in which every server has its turn. Over plain: "
            "the median over rounds of the ratio within a round. The shadow is the same router again. Wanted of all "
            "three together: at most 10 % over plain."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

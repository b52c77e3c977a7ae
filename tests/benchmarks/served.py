"""What a server answers with a cheaper encoder, beside the same logs' router with another, in one run."""

from pathlib import Path

from tests.benchmarks.routing import Skipped, measure_published
from tests.benchmarks.table import Table


def run(published: Path, *, beside: Path | None, rounds: int = 7, seconds: float = 2.0) -> Table:
    """The router in service and another, behind HTTP on loopback, in turn.

    Args:
        published: the router that is measured.
        beside: another installation's published router, usually of the same logs with `--encoder int8`.
        rounds: in which each server has its turn.
        seconds: of a turn.

    Raises:
        Skipped: no router is published, or there is none beside it.
    """
    if beside is None:
        raise Skipped("needs a second published router: --beside DIR")
    if not (beside / "current.json").is_file():
        raise Skipped(f"no router is published in {beside}")
    found = measure_published("served_case", published, beside.resolve(), rounds, seconds)
    return Table(
        name="served",
        claim=(
            "One prompt a request on 64 keep-alive connections over loopback, decision log off, each server in turn in "
            "every round; the load's own process runs on the same processors. Processor ms: of the server a request, "
            "all threads, HTTP included. Median over rounds; the ratio is the median over rounds of this router's "
            "requests a second over the other's, with its range."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

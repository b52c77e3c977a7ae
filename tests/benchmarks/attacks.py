"""A server of the published router under attack, beside the same server left alone."""

from pathlib import Path

from tests.benchmarks.routing import measure_published
from tests.benchmarks.table import Table


def run(published: Path, *, seconds: float = 5.0) -> Table:
    """Short prompts and health checks while others are silent, send half of what they announce, or ask for too much.

    Raises:
        Skipped: no router is published.
    """
    found = measure_published("attacks_case", published, seconds)
    return Table(
        name="attacks",
        claim=(
            "`pointsman serve` as it comes, on loopback, with room for 1,024 open files. Two connections ask for a "
            "short prompt at a time; beside them: 1,024 silent connections; 900 bodies of 4 MB of which 3.9 come; "
            "four clients that ask for 256 prompts of 250 words again and again. `times idle`: p99 over the p99 of the "
            "idle row next to it, measured in the same minute; wanted: at most 5. Health: the slowest of the checks "
            "that were made meanwhile, each on a connection of its own. What the server hangs up on is opened "
            "again after a second. The attack's own process runs on the same processors."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

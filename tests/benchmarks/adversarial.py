"""What prompts written to force the expensive candidate achieve, and what a cap on cost leaves of it."""

from pathlib import Path

from tests.benchmarks.routing import Skipped, measure_published
from tests.benchmarks.table import Table


def run(published: Path) -> Table:
    """The router in service's golden prompts, plain and attacked, under each policy.

    Raises:
        Skipped: no router is published, or it knows no costs.
    """
    found = measure_published("adversarial_case", published)
    if not found["rows"]:
        raise Skipped("the published router doesn't know the cost of every candidate")
    return Table(
        name="adversarial",
        claim=(
            "Golden prompts of the published router, each alone and each with the best of several texts around it: the "
            "one that makes the router's own expected cost greatest, chosen by asking the router itself. "
            "USD: expected cost of 1000 prompts by the router's own "
            "reckoning. The budget is what the plain prompts cost under the policy best; a batch can't exceed it."
        ),
        rows=found["rows"],
        summary=found["summary"],
    )

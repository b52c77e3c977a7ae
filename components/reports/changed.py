"""The first screen of a router that was changed without a retrain: what was changed, and what that is worth."""

from collections.abc import Mapping
from typing import Any

from components.reports.summary import points


def changed_screen(report: Mapping[str, Any]) -> dict[str, str] | None:
    """What the template shows first of such a router; None: the report is of a retrain."""
    change = report.get("change")
    if not change:
        return None
    rest = (
        f"All else on this page is the evaluation of the router {change['from'][:12]}, from which this one differs in "
        "nothing else."
    )
    return {"sentence": sentence(change), "rest": rest}


def sentence(change: Mapping[str, Any]) -> str:
    """What was changed.

    >>> sentence({"retired": "old", "from": "0" * 64})
    'old was taken out of the router 000000000000.'
    """
    router = f"the router {change['from'][:12]}"
    if "retired" in change:
        return f"{change['retired']} was taken out of {router}."
    graders = f", graded by {change['graded_by']}" if change.get("graded_by") else ""
    done = "was added to" if change["verdict"] == "promoted" else "was not added to"
    return (
        f"{change['added']} {done} {router}: quality {points(change['gain'])} points against that router, "
        f"{100 * change['share']:.0f} % of traffic would go to it; judged on {change['probes']:,} probes by routers "
        f"that were fitted without them; its own quality {change['quality']:.3f}{graders}."
    )

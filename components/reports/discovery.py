"""What discovery says of itself in sentences: why this partition, what became of the champion's tasks, what failed."""

from collections.abc import Mapping, Sequence
from typing import Any

LISTED = 12
"""Tasks that a sentence names before it says how many more there are."""


def discovery_notes(discovery: Mapping[str, Any]) -> list[str]:
    """Sentences for a report's tasks; parts that `discovery` lacks are left out."""
    notes = []
    if reason := discovery.get("reason"):
        notes.append(f"Chosen partition: {discovery['method']}; {reason}.")
    if discovery.get("neighbour_recall") is not None:
        notes.append(f"Neighbour search found {discovery['neighbour_recall']:.1%} of the true neighbours, on a sample.")
    if naming := discovery.get("naming"):
        notes.append(naming)
    if identity := discovery.get("identity"):
        notes += identity_notes(identity)
    return notes


def identity_notes(identity: Mapping[str, Any]) -> list[str]:
    """What became of the champion's tasks."""
    if not identity.get("previous"):
        return ["No champion to compare with: every task is new."]
    mean = f", mean overlap {identity['mean_overlap']:.2f}" if identity.get("mean_overlap") is not None else ""
    notes = [
        f"Against champion {identity['previous'][:12]}: {identity['kept']} tasks kept{mean}; "
        + ", ".join(f"{len(identity[fate])} {fate}" for fate in ("born", "died", "split", "merged"))
        + "."
    ]
    notes += [f"{fate.capitalize()}: {_list(identity[fate])}." for fate in ("born", "died") if identity[fate]]
    for fate, into in (("split", "became"), ("merged", "holds what were")):
        changed = list(identity[fate].items())
        notes += [f"{task} {into}: {_list(parts)}." for task, parts in changed[:LISTED]]
        notes += [f"And {len(changed) - LISTED} more {fate}."] if len(changed) > LISTED else []
    return notes


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return "; ".join(names[:LISTED]) + more

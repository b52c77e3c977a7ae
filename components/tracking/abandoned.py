"""Runs that a dead process left open: closed as killed, so that the registry never shows work that nobody does."""

from collections.abc import Callable, Mapping
from typing import Protocol

from components.tracking.owner import parse_owner

OWNER = "pointsman.owner"
"""Tag of a run: the process that made it."""


class Runs(Protocol):
    """What the repair needs of a registry."""

    def unfinished(self) -> Mapping[str, Mapping[str, str]]:
        """Tags of every run that is still open, by run id."""

    def finish(self, run_id: str, status: str = "FINISHED") -> None:
        """Ends a run."""


def owner_alive(tags: Mapping[str, str]) -> bool | None:
    """Whether the process that made a run still lives; None: it can't be told from here."""
    owner = parse_owner(tags.get(OWNER, ""))
    return None if owner is None else owner.alive


def close_abandoned(
    runs: Runs, alive: Callable[[Mapping[str, str]], bool | None] = owner_alive, status: str = "KILLED"
) -> tuple[str, ...]:
    """Ends every open run whose maker is known to be dead and returns their ids.

    Args:
        runs: the registry.
        alive: whether the maker of a run with these tags lives; a run for which it is None stays open.
        status: how they end.
    """
    dead = tuple(run_id for run_id, tags in runs.unfinished().items() if alive(tags) is False)
    for run_id in dead:
        runs.finish(run_id, status)
    return dead

"""What a server's decision log says of a router that was tried on a share of the traffic."""

import json
from dataclasses import dataclass
from pathlib import Path

EVENTS = "events.jsonl"
"""In the folder of a decision log, beside its segments."""
_ENDS = ("canary succeeded", "canary stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How a canary ended."""

    stopped: bool
    words: str
    """Why, or after what."""


def canary_of(decisions: Path, router_id: str) -> Tried | None:
    """The end of a router's last canary; None: there was none, or it goes on.

    A line that was torn by a crash, or that holds something else, is passed over.
    """
    try:
        lines = (decisions / EVENTS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        try:
            event = json.loads(line)
            if event["event"] in _ENDS and event["router_id"] == router_id:
                return Tried(stopped=event["event"] == "canary stopped", words=str(event["why"]))
        except (ValueError, KeyError, TypeError):
            continue
    return None

"""What a server's decision log says of a router that was tried on a share of the traffic."""

import json
from dataclasses import dataclass
from pathlib import Path

from pointsman.serving.log_schema import EVENTS

_ENDS = ("canary succeeded", "canary stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """How a canary ended."""

    stopped: bool
    words: str
    """Why, or after what."""


def canary_of(decisions: Path, router_id: str) -> Tried | None:
    """How a router's trial ended; None: there was none, or it goes on.

    Several servers may have tried it, each with a file of its own, or one of them twice: one stop is the end. A line
    that was torn by a crash, or that holds something else, is passed over.

    Args:
        decisions: folder of the log.
        router_id: of the challenger.
    """
    ends: list[Tried] = []
    for path in sorted(decisions.glob(f"{Path(EVENTS).stem}*{Path(EVENTS).suffix}")):
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                event = json.loads(line)
                if event["event"] in _ENDS and event["router_id"] == router_id:
                    ends.append(Tried(stopped=event["event"] == "canary stopped", words=str(event["why"])))
            except (ValueError, KeyError, TypeError):
                continue
    return next((end for end in ends if end.stopped), ends[-1] if ends else None)

"""What the console shows of the published root: the curve of the router in service, and the history."""

import json
from pathlib import Path
from typing import Any

from pointsman.bundle.pointer import is_url
from pointsman.errors import BundleError
from pointsman.whatif import whatif

_HISTORY = "history.jsonl"
_SHOWN = 20
"""Entries of the history that are shown."""
_TAIL = 100_000
"""Bytes at the end of the history that are read."""


def curve(path: str | Path, requests: int) -> dict[str, Any]:
    """What each policy of the router in service would cost and get, see `whatif`; without policies where it has none.

    Raises:
        ValueError: requests < 1.
    """
    if requests < 1:
        raise ValueError(f"requests must be >= 1, got {requests}")
    try:
        return whatif(path, requests)
    except (BundleError, ValueError):
        return {"policies": []}


def history(path: str | Path) -> list[dict[str, Any]]:
    """The last verdicts, newest first; empty for a bundle alone, or a root at a URL.

    The chain of digests isn't checked here: `pointsman doctor` does.
    """
    if is_url(path):
        return []
    try:
        with (Path(path) / _HISTORY).open("rb") as file:
            file.seek(0, 2)
            start = max(file.tell() - _TAIL, 0)
            file.seek(start)
            lines = file.read().split(b"\n")
    except OSError:
        return []
    # the first line may be cut, the last one is empty or torn
    whole = lines[1 if start else 0 : -1]
    return [entry for line in reversed(whole[-_SHOWN:]) if (entry := _entry(line)) is not None]


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
        return {name: found[name] for name in ("time", "router_id", "verdict", "reasons", "who")}
    except (ValueError, KeyError, TypeError):
        return None

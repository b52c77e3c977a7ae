"""history.jsonl: every verdict and every reign, appended and never rewritten (MLflow keeps none)."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pointsman.durable import sync_folder

HISTORY = "history.jsonl"
Outcome = Literal["promoted", "refused", "rolled_back"]
REIGNS: frozenset[Outcome] = frozenset({"promoted", "rolled_back"})
"""Outcomes after which the entry's router reigns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One verdict."""

    time: str
    """ISO 8601, UTC."""
    router_id: str
    verdict: Outcome
    reasons: tuple[str, ...]
    who: str

    def __post_init__(self) -> None:
        if self.verdict not in get_args(Outcome):
            raise ValueError(f"verdict must be one of {get_args(Outcome)}, got {self.verdict!r}")

    def __str__(self) -> str:
        reasons = "; ".join(self.reasons) or "no reason given"
        return f"{self.time}  {self.verdict:<11}  {self.router_id[:12]}  by {self.who}: {reasons}"


def now() -> str:
    """The time in the form of an entry."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def append(root: Path, entry: Entry) -> None:
    """Adds an entry and waits until the disk has it; call while holding the root's lock.

    A line torn by an earlier crash is cut off first: its writer never saw it accepted.
    """
    path = root / HISTORY
    new = not path.exists()
    line = json.dumps(asdict(entry)).encode() + b"\n"
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    if new:
        sync_folder(root)


def read_history(root: Path) -> tuple[Entry, ...]:
    """All entries, oldest first; a torn last line is left out.

    Raises:
        ValueError: a whole line is no entry.
    """
    try:
        content = (root / HISTORY).read_bytes()
    except FileNotFoundError:
        return ()
    entries = []
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            document = json.loads(line)
            entries.append(Entry(**{**document, "reasons": tuple(document["reasons"])}))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{root / HISTORY}, line {number}: {error}") from None
    return tuple(entries)


def reigning(entries: tuple[Entry, ...]) -> Entry | None:
    """The entry of the router that should reign; None where none ever did."""
    return next((entry for entry in reversed(entries) if entry.verdict in REIGNS), None)

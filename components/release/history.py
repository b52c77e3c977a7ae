"""history.jsonl: every verdict and every change of the router in service, appended and never rewritten.

Each line holds the SHA-256 of a line before it, so that a line that is changed, taken out or put in between is found.
Lines cut off at the end aren't: whoever may write the file can also write a new one.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from components.reports.ending import Verdict
from pointsman.durable import sync_folder

HISTORY = "history.jsonl"
Outcome = Verdict | Literal["rolled_back"]
OUTCOMES: tuple[Outcome, ...] = (*get_args(Verdict), "rolled_back")
SERVES: frozenset[Outcome] = frozenset({"promoted", "rolled_back"})
"""Outcomes after which the entry's router is in service."""
_WAY_OUT = (
    "restore the file from a backup, or move it away: `pointsman doctor` then begins a new one with the router "
    "in service"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One verdict."""

    time: str
    """ISO 8601, UTC."""
    router_id: str
    verdict: Outcome
    reasons: tuple[str, ...]
    who: str
    before: str = ""
    """SHA-256 of the line before, as `append` writes it; '': the first line, or one older than the chain."""

    def __post_init__(self) -> None:
        if self.verdict not in OUTCOMES:
            raise ValueError(f"verdict must be one of {OUTCOMES}, got {self.verdict!r}")
        for name in ("time", "router_id", "who", "before"):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be text, got {getattr(self, name)!r}")
        if not all(isinstance(reason, str) for reason in self.reasons):
            raise ValueError(f"reasons must be texts, got {list(self.reasons)}")

    def __str__(self) -> str:
        reasons = "; ".join(self.reasons) or "no reason given"
        return f"{self.time}  {self.verdict:<11}  {self.router_id[:12]}  by {self.who}: {reasons}"


def now() -> str:
    """The time in the form of an entry."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_entry(router_id: str, verdict: Outcome, reasons: Sequence[str], who: str | None) -> Entry:
    """An entry of this moment.

    Args:
        router_id: whose verdict.
        verdict: what became of it.
        reasons: why.
        who: who did it; None: the process's user.
    """
    return Entry(
        time=now(),
        router_id=router_id,
        verdict=verdict,
        reasons=tuple(reasons),
        who=getpass.getuser() if who is None else who,
    )


def append(root: Path, entry: Entry) -> None:
    """Adds an entry and waits until the disk has it; call while holding the root's lock.

    A line torn by an earlier crash is cut off first: its writer never saw it accepted. Where the disk is full the
    history stays as it was.

    Raises:
        ValueError: the history was tampered with.
    """
    path = root / HISTORY
    new = not path.exists()
    with path.open("ab+") as file:
        file.seek(0)
        content = file.read()
        lines, whole = _whole_lines(content)
        parse_history(lines, path)
        last = next((line for line in reversed(lines) if line.strip()), None)
        chained = replace(entry, before="" if last is None else _digest(last))
        # an editor may have taken the last line's end
        gap = b"\n" if whole and content[whole - 1 : whole] != b"\n" else b""
        file.truncate(whole)
        try:
            file.write(gap + json.dumps(asdict(chained)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(whole)
            raise
    if new:
        sync_folder(root)


def read_history(root: Path) -> tuple[Entry, ...]:
    """All entries, oldest first; a torn last line is left out, one that only lost its end isn't.

    Raises:
        ValueError: a whole line is no entry, or the chain of digests is broken.
    """
    try:
        content = (root / HISTORY).read_bytes()
    except FileNotFoundError:
        return ()
    return parse_history(_whole_lines(content)[0], root / HISTORY)


def parse_history(lines: Sequence[bytes], where: object, *, merged: bool = False) -> tuple[Entry, ...]:
    """The entries of whole lines, whose chain is checked; blank lines say nothing and are skipped.

    Args:
        lines: without their ends.
        where: the file, for messages.
        merged: whether several installations' lines stand in it, so that a line's forerunner is any earlier one.

    Raises:
        ValueError: a line is no entry, or doesn't follow the one that it was written after.
    """
    entries: list[Entry] = []
    seen: list[str] = []
    chained = False
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry, names_before = _entry(line)
        except ValueError as error:
            raise ValueError(f"{where}, line {number}: {error}; {_WAY_OUT}") from None
        if merged:
            follows = entry.before == "" or entry.before in seen
        else:
            follows = entry.before in seen[-1:] if entry.before else not chained
        if not follows:
            raise ValueError(f"{where}, line {number}: a line before it was changed, taken out or added; {_WAY_OUT}")
        chained = chained or names_before
        entries.append(entry)
        seen.append(_digest(line))
    return tuple(entries)


def _entry(line: bytes) -> tuple[Entry, bool]:
    """The entry of a line, and whether it names the one before it, as lines from before there was a chain don't."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"isn't JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("reasons"), list):
        raise ValueError("is no entry: it must be an object with a list of 'reasons'")
    try:
        return Entry(**{**document, "reasons": tuple(document["reasons"])}), "before" in document
    except TypeError as error:
        # a field is missing or unknown
        raise ValueError(f"is no entry: {error}") from None


def _whole_lines(content: bytes) -> tuple[list[bytes], int]:
    """The lines that were written whole, and where they end; a last one that is an entry but lost its end is whole."""
    *lines, last = content.split(b"\n")
    try:
        _entry(last)
    except ValueError:
        return lines, len(content) - len(last)
    return [*lines, last], len(content)


def merge_histories(one: bytes, other: bytes) -> bytes:
    """The whole lines of both, each once, by their time: for two installations that publish to one address."""
    lines = {line: None for content in (one, other) for line in _whole_lines(content)[0] if line.strip()}
    return b"".join(line + b"\n" for line in sorted(lines, key=_time))


def _time(line: bytes) -> str:
    try:
        return str(json.loads(line)["time"])
    except (ValueError, KeyError, TypeError):
        return ""


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def left_by_rollback(entries: tuple[Entry, ...], router_id: str) -> bool:
    """Whether a router was in service, isn't now, and it was a rollback that ended its time."""
    in_service: str | None = None
    left = False
    for entry in entries:
        if entry.verdict not in SERVES:
            continue
        if entry.router_id == router_id:
            left = False
        elif in_service == router_id:
            left = entry.verdict == "rolled_back"
        in_service = entry.router_id
    return left


def last_word(entries: tuple[Entry, ...], router_id: str) -> Entry | None:
    """The newest entry of a router; None: nothing was ever said of it."""
    return next((entry for entry in reversed(entries) if entry.router_id == router_id), None)


def serving(entries: tuple[Entry, ...]) -> Entry | None:
    """The entry of the router that should serve; None where none ever was in service."""
    return next((entry for entry in reversed(entries) if entry.verdict in SERVES), None)


def served(entries: tuple[Entry, ...]) -> list[str]:
    """router_id of every router that serves or once did, each once, in the order of their first time."""
    return list(dict.fromkeys(entry.router_id for entry in entries if entry.verdict in SERVES))


def readable(entries: tuple[Entry, ...], in_service: str | None) -> list[str]:
    """A line an entry for a terminal, newest first: when, what, which router, by whom and why. None without entries.

    Args:
        entries: oldest first.
        in_service: router_id that the pointer names; its newest line says so.
    """
    if not entries:
        return []
    lines, marked = [f"{'time (UTC)':<16}  {'verdict':<11}  {'router':<12}  why"], False
    for entry in reversed(entries):
        serves = not marked and entry.router_id == in_service and entry.verdict in SERVES
        marked = marked or serves
        why = "; ".join(entry.reasons) or "no reason given"
        when, verdict = entry.time[:16].replace("T", " "), entry.verdict.replace("_", " ")
        why = f"{'in service; ' if serves else ''}{why} (by {entry.who})"
        lines.append(f"{when:<16}  {verdict:<11}  {entry.router_id[:12]}  {why}")
    return lines

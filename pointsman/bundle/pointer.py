"""current.json: which bundle of a published root is in service."""

import json
import os
from pathlib import Path

from pointsman.bundle.manifest import MANIFEST, is_router_id
from pointsman.bundle.plain import read_plain
from pointsman.durable import replace_file
from pointsman.errors import BundleError

POINTER = "current.json"
LARGEST_POINTER = 4096
"""Bytes."""
HISTORY = "history.jsonl"
"""Every verdict, beside the pointer; written by `components.release.history`."""

_ENDED = {
    "refused": (" was refused", ", for it didn't meet"),
    "not enough evidence": (" ended as not enough evidence", ", for it couldn't show"),
    "to canary": ("'s router waits for a canary", ""),
    "awaits approval": ("'s router awaits approval", ""),
}
"""What became of a retrain by its verdict, and what its reasons are: of the first two the conditions that failed."""


def is_url(path: str | Path) -> bool:
    """Whether a published root is at an fsspec URL, not in a folder.

    >>> is_url("s3://bucket/routers"), is_url("data/published")
    (True, False)
    """
    return "://" in str(path)


def read_pointer(root: Path) -> str | None:
    """router_id of the bundle in service; None where nothing was published.

    Raises:
        BundleError: the pointer names no bundle.
    """
    try:
        document = json.loads(read_plain(root / POINTER, LARGEST_POINTER))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BundleError(f"{root / POINTER} can't be read: {error}") from None
    named = document.get("router_id") if isinstance(document, dict) else None
    if not is_router_id(named):
        raise BundleError(f"{root / POINTER} names no router_id")
    return str(named)


def write_pointer(root: Path, router_id: str) -> None:
    """Puts a bundle into service, at once.

    Raises:
        BundleError: not a router_id.
    """
    if not is_router_id(router_id):
        raise BundleError(f"not a router_id: {router_id!r}")
    replace_file(root / POINTER, json.dumps({"router_id": router_id}).encode() + b"\n")


def resolve(path: Path) -> Path:
    """The bundle's folder: `path` itself, or the one in service where `path` is a published root.

    Raises:
        BundleError: the pointer is damaged, or nothing was published there yet.
    """
    named = read_pointer(path)
    if named is not None:
        return path / named
    if not (path / MANIFEST).exists() and _visible(path) <= {HISTORY}:
        raise BundleError(f"{path}: nothing published yet; {_last_word(path)}")
    return path


def _visible(path: Path) -> set[str]:
    try:
        return {name for name in os.listdir(path) if not name.startswith(".") and not is_router_id(name)}
    except OSError:
        return set()


def _last_word(root: Path) -> str:
    """What became of the last retrain, from the history's last whole line."""
    try:
        # what follows the last end of a line is torn, and blank lines say nothing
        whole = [line for line in (root / HISTORY).read_bytes().split(b"\n")[:-1] if line.strip()]
        entry = json.loads(whole[-1])
        ended, lead = _ENDED.get(entry["verdict"], (f" ended as {entry['verdict']}", ""))
        return f"the last retrain{ended}" + (f"{lead}: {'; '.join(entry['reasons'])}" if entry["reasons"] else "")
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return "run `pointsman retrain` first"

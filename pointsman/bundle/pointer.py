"""current.json: which bundle of a published root reigns."""

import json
from pathlib import Path

from pointsman.bundle.manifest import is_router_id
from pointsman.durable import replace_file
from pointsman.errors import BundleError

POINTER = "current.json"


def is_url(path: str | Path) -> bool:
    """Whether a published root is at an fsspec URL, not in a folder.

    >>> is_url("s3://bucket/routers"), is_url("data/published")
    (True, False)
    """
    return "://" in str(path)


def read_pointer(root: Path) -> str | None:
    """router_id of the reigning bundle; None where nothing was published.

    Raises:
        BundleError: the pointer names no bundle.
    """
    try:
        document = json.loads((root / POINTER).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BundleError(f"{root / POINTER} can't be read: {error}") from None
    named = document.get("router_id") if isinstance(document, dict) else None
    if not is_router_id(named):
        raise BundleError(f"{root / POINTER} names no router_id")
    return str(named)


def write_pointer(root: Path, router_id: str) -> None:
    """Makes a bundle reign, at once.

    Raises:
        BundleError: not a router_id.
    """
    if not is_router_id(router_id):
        raise BundleError(f"not a router_id: {router_id!r}")
    replace_file(root / POINTER, json.dumps({"router_id": router_id}).encode() + b"\n")


def resolve(path: Path) -> Path:
    """The bundle's folder: `path` itself, or the one that reigns where `path` is a published root.

    Raises:
        BundleError: the pointer is damaged.
    """
    named = read_pointer(path)
    return path if named is None else path / named

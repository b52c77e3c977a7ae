"""Keeps a published root at an fsspec URL up to the local one, the pointer written last."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec

from components.release.history import HISTORY, merge_histories
from components.release.lock import hold
from pointsman.bundle.manifest import MANIFEST
from pointsman.bundle.pointer import POINTER, read_pointer
from pointsman.bundle.reading import copy_files
from pointsman.bundle.remote import read_remote, read_remote_pointer, write_remote
from pointsman.bundle.signature import SIGNATURE
from pointsman.errors import BundleError


def mirror(root: Path, url: str, timeout: float = 60.0, *, thorough: bool = False) -> str | None:
    """Makes a URL hold what is in service in a local published root; again changes nothing.

    The root's lock is held meanwhile, so that the last promotion is also the last to be mirrored. A torn pointer there
    is replaced. The history there keeps the lines of every installation that publishes to it.

    Args:
        root: the local published root.
        url: what fsspec opens, such as s3://bucket/routers; its credentials come from where fsspec looks for them.
        timeout: seconds to wait for another promotion.
        thorough: whether to read the files there and replace damaged ones; else their sizes have to do.

    Returns:
        router_id of what is in service; None where nothing was published.

    Raises:
        BundleError: the bundle in service isn't whole, or the URL can't be written.
        Busy: a promotion holds the lock.
    """
    with hold(root, timeout):
        router_id = read_pointer(root)
        if router_id is None:
            return None
        _, files = copy_files(root / router_id)
        try:
            system, path = fsspec.core.url_to_fs(url)
            folder = f"{path}/{router_id}"
            # the manifest is written last: where it is, the rest is
            if not _is_there(system, folder, files, thorough):
                system.makedirs(folder, exist_ok=True)
                for name in (*sorted(set(files) - {MANIFEST}), MANIFEST):
                    write_remote(system, f"{folder}/{name}", files[name])
            known = read_remote(system, f"{path}/{HISTORY}") or b""
            merged = merge_histories(known, (root / HISTORY).read_bytes())
            if merged != known:
                write_remote(system, f"{path}/{HISTORY}", merged)
            if _pointer(system, path, url) != router_id:
                write_remote(system, f"{path}/{POINTER}", (root / POINTER).read_bytes())
        except BundleError:
            raise
        except Exception as error:
            # each filesystem has errors of its own
            raise BundleError(
                f"{url} can't be written: {error}; once it can be, `pointsman doctor` brings it up to what serves here"
            ) from error
        return router_id


def in_service_at(url: str) -> str | None:
    """router_id that the pointer at a URL names; None where there is none, or a torn one.

    Raises:
        BundleError: the URL can't be read.
    """
    try:
        system, path = fsspec.core.url_to_fs(url)
        return _pointer(system, path, url)
    except Exception as error:
        raise BundleError(f"{url} can't be read: {error}") from error


def _pointer(system: Any, path: str, url: str) -> str | None:
    try:
        return read_remote_pointer(system, path, url)
    except BundleError:
        return None


def _is_there(system: Any, folder: str, files: Mapping[str, bytes], thorough: bool) -> bool:
    if read_remote(system, f"{folder}/{MANIFEST}") != files[MANIFEST]:
        return False
    if SIGNATURE in files and read_remote(system, f"{folder}/{SIGNATURE}") != files[SIGNATURE]:
        return False
    if thorough:
        return all(read_remote(system, f"{folder}/{name}") == content for name, content in files.items())
    try:
        return all(system.size(f"{folder}/{name}") in (None, len(content)) for name, content in files.items())
    except FileNotFoundError:
        return False

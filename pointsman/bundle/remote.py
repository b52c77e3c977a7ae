"""Published roots at any fsspec URL (s3://, gs://, memory://, file://): written pointer last, verified when read.

An object store renames nothing, so the order alone keeps readers safe: the files of a bundle, its manifest, the
history, the pointer. Whoever follows the pointer finds a bundle that was complete before.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec

from pointsman.bundle.manifest import MANIFEST, dump, is_router_id, parse
from pointsman.bundle.pointer import POINTER
from pointsman.bundle.reading import LARGEST_MANIFEST, is_whole, verified_files
from pointsman.bundle.signature import SIGNATURE, SIGNATURE_BYTES, Trust
from pointsman.durable import mend_folder, place_folder, replace_file
from pointsman.errors import BundleError

TRIAL = "pointsman.trial"
"""The module that loads a router for the first time, in a process of its own."""
TRIAL_S = 120
TRIAL_BYTES = 8 * 1024**3
"""Limits on it: seconds, and bytes of memory."""


def locate(url: str) -> str:
    """URL of the bundle: `url` itself, or the one in service where `url` is a published root.

    Raises:
        BundleError: the URL can't be read, or its pointer is damaged.
    """
    try:
        system, path = fsspec.core.url_to_fs(url)
        named = read_remote_pointer(system, path, url)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{url} can't be read: {error}") from error
    return url if named is None else f"{url.rstrip('/')}/{named}"


def fetch(url: str, cache: Path, trust: Trust | None = None) -> Path:
    """The folder of a bundle's verified copy, downloaded unless the cache has it.

    Args:
        url: a bundle or a published root.
        cache: folder of copies, named by router_id; made if missing.
        trust: who must have signed it, which is asked before anything else of it is downloaded; None: nobody.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe, of a newer form or not signed as it must be.
    """
    where = locate(url)
    try:
        system, path = fsspec.core.url_to_fs(where)
        content = _bounded(system, f"{path}/{MANIFEST}", LARGEST_MANIFEST)
        signed = {} if trust is None else _signed(system, path, content, trust, where)
        manifest = parse(content)
        named = path.rstrip("/").rpartition("/")[2]
        if is_router_id(named) and named != manifest.router_id:
            raise BundleError(f"{where} holds another router than it is named for: {manifest.router_id}")
        copy = cache / manifest.router_id
        if is_whole(copy):
            for name, signature in signed.items():
                replace_file(copy / name, signature)
            return copy
        files = verified_files(
            manifest, {name: _bounded(system, f"{path}/{name}", manifest.sizes[name]) for name in manifest.files}, where
        )
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{where} can't be read: {error}") from error
    _try_first({**files, MANIFEST: dump(manifest)}, manifest.router_id, where)
    try:
        # a damaged copy is replaced, by the content that was just verified
        mend_folder(copy, {**files, MANIFEST: dump(manifest), **signed})
    except OSError as error:
        # another process may have been quicker
        if not is_whole(copy):
            raise BundleError(f"{copy} can't be written: {error}") from error
    return copy


def _signed(system: Any, path: str, manifest: bytes, trust: Trust, where: str) -> dict[str, bytes]:
    """The signature's file, by name, once it was found to be of somebody trusted."""
    try:
        signature = _bounded(system, f"{path}/{SIGNATURE}", SIGNATURE_BYTES)
    except FileNotFoundError:
        signature = None
    trust.check(manifest, signature, where)
    return {} if signature is None else {SIGNATURE: signature}


def _try_first(files: Mapping[str, bytes], router_id: str, where: str) -> None:
    """Loads a stranger's router in a process of its own, which may hang, abort or eat memory without harm here."""
    with tempfile.TemporaryDirectory(prefix="pointsman-trial-") as scratch:
        folder = Path(scratch) / router_id
        place_folder(folder, files)
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or os.curdir for entry in sys.path)}
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-m", TRIAL, str(folder), str(TRIAL_BYTES), str(TRIAL_S)],
                env=environment,
                capture_output=True,
                timeout=TRIAL_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BundleError(f"{where} didn't load within {TRIAL_S} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BundleError(f"{where} can't be loaded: {said[-1] if said else f'exit code {done.returncode}'}")


def read_remote_pointer(system: Any, path: str, url: str) -> str | None:
    """The router_id that the pointer of a remote root names; None where there is none.

    Raises:
        BundleError: it names no router_id.
    """
    content = read_remote(system, f"{path}/{POINTER}")
    if content is None:
        return None
    try:
        named = json.loads(content)["router_id"]
    except (ValueError, KeyError, TypeError):
        named = None
    if not is_router_id(named):
        raise BundleError(f"{url}/{POINTER} names no router_id")
    return str(named)


def read_remote(system: Any, path: str) -> bytes | None:
    """Content of a remote file; None where there is none."""
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError:
        return None


def write_remote(system: Any, path: str, content: bytes) -> None:
    """Writes a remote file; the old content stays until the new one is whole."""
    with system.transaction, system.open(path, "wb") as file:
        file.write(content)


def _bounded(system: Any, path: str, largest: int) -> bytes:
    size = system.size(path)
    if size is not None and size > largest:
        raise BundleError(f"{path} is larger than {largest} bytes")
    return bytes(system.cat_file(path, start=0, end=largest + 1))

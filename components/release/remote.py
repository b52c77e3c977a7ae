"""Published roots at any fsspec URL (s3://, gs://, memory://, file://): written pointer last, verified when read.

An object store renames nothing, so the order alone keeps readers safe: the files of a bundle, its manifest, the
history, the pointer. Whoever follows the pointer finds a bundle that was complete before.
"""

import json
from pathlib import Path
from typing import Any

import fsspec

from components.release.bundle import LARGEST_FILE, read_files, verified_files
from components.release.durable import place_folder
from components.release.history import HISTORY
from components.release.lock import hold
from components.release.manifest import FILES, MANIFEST, BundleError, Manifest, dump, is_router_id, parse
from components.release.pointer import POINTER, read_pointer


def mirror(root: Path, url: str, timeout: float = 60.0) -> str | None:
    """Makes a URL hold what reigns in a local published root; again changes nothing.

    The root's lock is held meanwhile, so that the last promotion is also the last to be mirrored.

    Args:
        root: the local published root.
        url: what fsspec opens, such as s3://bucket/routers; its credentials come from where fsspec looks for them.
        timeout: seconds to wait for another promotion.

    Returns:
        router_id of what reigns; None where nothing was published.

    Raises:
        BundleError: the reigning bundle isn't whole, or the URL can't be written.
        Busy: a promotion holds the lock.
    """
    with hold(root, timeout):
        router_id = read_pointer(root)
        if router_id is None:
            return None
        manifest, files = read_files(root / router_id)
        try:
            system, path = fsspec.core.url_to_fs(url)
            folder = f"{path}/{router_id}"
            # the manifest is written last: where it is, the rest is
            if _cat(system, f"{folder}/{MANIFEST}") != dump(manifest):
                system.makedirs(folder, exist_ok=True)
                for name, content in files.items():
                    _put(system, f"{folder}/{name}", content)
                _put(system, f"{folder}/{MANIFEST}", dump(manifest))
            _put(system, f"{path}/{HISTORY}", (root / HISTORY).read_bytes())
            if _pointer(system, path, url) != router_id:
                _put(system, f"{path}/{POINTER}", (root / POINTER).read_bytes())
        except BundleError:
            raise
        except Exception as error:
            # each filesystem has errors of its own
            raise BundleError(f"{url} can't be written: {error}") from error
        return router_id


def locate(url: str) -> str:
    """URL of the bundle: `url` itself, or the one that reigns where `url` is a published root.

    Raises:
        BundleError: the URL can't be read, or its pointer is damaged.
    """
    try:
        system, path = fsspec.core.url_to_fs(url)
        named = _pointer(system, path, url)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{url} can't be read: {error}") from error
    return url if named is None else f"{url.rstrip('/')}/{named}"


def fetch(url: str, cache: Path) -> Path:
    """The folder of a bundle's verified copy, downloaded unless the cache has it.

    Args:
        url: a bundle or a published root.
        cache: folder of copies, named by router_id; made if missing.

    Raises:
        BundleError: anything is missing, unknown, changed, unsafe or of a newer form.
    """
    where = locate(url)
    try:
        system, path = fsspec.core.url_to_fs(where)
        manifest = parse(_bounded(system, f"{path}/{MANIFEST}"))
        copy = cache / manifest.router_id
        if _is_whole(copy, manifest):
            return copy
        files = verified_files(manifest, {name: _bounded(system, f"{path}/{name}") for name in FILES}, where)
    except BundleError:
        raise
    except Exception as error:
        raise BundleError(f"{where} can't be read: {error}") from error
    try:
        place_folder(copy, {**files, MANIFEST: dump(manifest)})
    except OSError as error:
        # another process may have been quicker
        if not _is_whole(copy, manifest):
            raise BundleError(f"{copy} can't be written: {error}") from error
    return copy


def _is_whole(copy: Path, manifest: Manifest) -> bool:
    if not copy.exists():
        return False
    found, _ = read_files(copy)
    return found.router_id == manifest.router_id


def _pointer(system: Any, path: str, url: str) -> str | None:
    content = _cat(system, f"{path}/{POINTER}")
    if content is None:
        return None
    try:
        named = json.loads(content)["router_id"]
    except (ValueError, KeyError, TypeError):
        named = None
    if not is_router_id(named):
        raise BundleError(f"{url}/{POINTER} names no router_id")
    return str(named)


def _cat(system: Any, path: str) -> bytes | None:
    try:
        return bytes(system.cat_file(path))
    except FileNotFoundError:
        return None


def _bounded(system: Any, path: str) -> bytes:
    size = system.size(path)
    if size is not None and size > LARGEST_FILE:
        raise BundleError(f"{path} is larger than {LARGEST_FILE} bytes")
    return bytes(system.cat_file(path))


def _put(system: Any, path: str, content: bytes) -> None:
    # in a transaction the old content stays until the new one is whole
    with system.transaction, system.open(path, "wb") as file:
        file.write(content)

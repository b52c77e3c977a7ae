"""Writing so that a crash leaves the old content or the new, never a mixture."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

ASIDE = ".aside-"
"""Beginning of the names of unfinished files and folders; whoever holds the lock may remove them."""


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_synced(path: Path, content: bytes) -> None:
    """Writes a new file and waits until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Replaces a file at once."""
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex}")
    try:
        write_synced(aside, content)
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def place_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Creates a folder with all of its files at once.

    Raises:
        OSError: the folder exists and isn't empty, or the disk fails.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f"{ASIDE}{uuid.uuid4().hex}")
    aside.mkdir()
    try:
        for name, content in files.items():
            write_synced(aside / name, content)
        sync_folder(aside)
        os.rename(aside, folder)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def mend_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Makes a damaged folder hold these files and no others, each replaced at once; a missing one is created.

    Raises:
        OSError: the disk fails; the folder is then as damaged as before, or less.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    if not folder.exists():
        place_folder(folder, files)
        return
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in files:
            entry.unlink()
    for name, content in files.items():
        replace_file(folder / name, content)


def sweep(root: Path) -> None:
    """Removes what crashed writers left aside; call only while holding the root's lock."""
    for entry in root.glob(f"{ASIDE}*"):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a file beside `path`, flushes it to disk and renames it over `path`; a crash leaves the old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    aside = Path(name)
    try:
        write(aside)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

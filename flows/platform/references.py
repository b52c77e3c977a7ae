"""What Prefect tasks exchange: paths with a content digest, never frames or arrays."""

import hashlib
import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from components.tables.store import file_digest
from flows.platform import paths

_DAY_S = 86_400


class DataRef(BaseModel, frozen=True):
    """A folder of files and the digest of what is in it."""

    path: Path
    digest: str
    """sha256 over the sorted names and digests of the files."""

    def file(self, name: str) -> Path:
        """Path of one file.

        Raises:
            FileNotFoundError: the file is gone, for instance because stage outputs were deleted in part.
        """
        path = self.path / name
        if not path.exists():
            raise FileNotFoundError(f"{path} is gone: delete {paths.stages()} whole and run again")
        return path


def reference(folder: Path) -> DataRef:
    """The reference to a folder as it is now; files whose names start with a dot don't count."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    lines = [f"{p.relative_to(folder)} {file_digest(p)}" for p in files]
    return DataRef(path=folder.resolve(), digest=hashlib.sha256("\n".join(lines).encode()).hexdigest())


def intact(kept: DataRef) -> bool:
    """Whether a folder holds what its digest says; in one process each file is read once, unless it changes."""
    try:
        return _digest(kept.path, _looks(kept.path)) == kept.digest
    except OSError:
        # unreadable is as good as damaged
        return False


@cache
def _digest(folder: Path, _: tuple[tuple[str, int, int], ...]) -> str:
    return reference(folder).digest


def _looks(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, bytes and moment of each file: what tells, without reading it, that a file was written to."""
    files = [(str(path), path.stat()) for path in folder.rglob("*") if path.is_file()]
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in files))


def discard(damaged: DataRef) -> None:
    """Removes an output of a station; a folder elsewhere, such as a user's logs, stays."""
    if paths.stages().resolve() not in damaged.path.resolve().parents:
        return
    aside = damaged.path.with_name(f".{uuid.uuid4().hex}")
    # another run discards it as well
    with suppress(FileNotFoundError):
        damaged.path.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def keep(station: str, write: Callable[[Path], object]) -> DataRef:
    """Lets `write` fill a fresh folder and files it under its content; a crash leaves nothing that is ever read.

    Nothing is flushed to disk, for `intact` notices what a power cut left half-written, and the station is done again.
    What killed processes left on the shelf is removed once it is a day old.
    """
    shelf = paths.stages() / station
    _sweep(shelf)
    aside = shelf / f".{uuid.uuid4().hex}"
    aside.mkdir(parents=True)
    try:
        write(aside)
        digest = reference(aside).digest
        kept = DataRef(path=shelf / digest[:16], digest=digest)
        if kept.path.exists() and not intact(kept):
            discard(kept)
        if not kept.path.exists():
            aside.rename(kept.path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return kept


def _sweep(shelf: Path) -> None:
    for left in shelf.glob(".*"):
        with suppress(FileNotFoundError):  # another run sweeps as well
            if time.time() - left.stat().st_mtime > _DAY_S:
                shutil.rmtree(left, ignore_errors=True)

"""An append-only log as a folder of parquet files, each of which is whole or isn't there.

Rows wait in memory, at most for a flush's interval; a thread writes them aside, waits for the disk and renames the file
into place. Files of a flush are joined to larger ones later, so that a year's log isn't a million files.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl

from pointsman.durable import ASIDE, sync_folder

_LOG = logging.getLogger(__name__)
JOINED = "-joined"
"""End of the names, before .parquet, of files that stay as they are."""
Item = TypeVar("Item")


def _one(_: object) -> int:
    return 1


def frame_of(schema: Mapping[str, Any]) -> Callable[[Sequence[Mapping[str, Any]]], pl.DataFrame]:
    """Makes columns of rows: polars types by column; what a row lacks is null."""
    return lambda rows: pl.DataFrame(rows, schema=schema, strict=False, orient="row")


class Segments(Generic[Item]):
    """Rows of one kind in one folder. Any number of threads may append; rows that find no room are counted and lost."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        frame: Callable[[Sequence[Item]], pl.DataFrame],
        *,
        size: Callable[[Item], int] = _one,
        flush_seconds: float = 1.0,
        capacity: int = 50_000,
        join: int = 60,
        join_seconds: float = float("inf"),
    ) -> None:
        """Starts the writer.

        Args:
            folder: made where it is missing.
            kind: the files' names begin with it.
            frame: makes columns of what was appended, on the writer's thread.
            size: rows of what is appended at a time, >= 1.
            flush_seconds: most that a crash can lose, > 0.
            capacity: rows that may wait, >= 1.
            join: files of a flush that are joined to one, >= 2.
            join_seconds: after which they are joined however few there are, >= 0.

        Raises:
            OSError: the folder can't be made or written.
        """
        if not (flush_seconds > 0 and capacity >= 1 and join >= 2):
            raise ValueError("flush_seconds must be > 0, capacity >= 1 and join >= 2")
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} can't be written")
        self._folder, self._kind, self._to_frame, self._size = folder, kind, frame, size
        self._every, self._capacity, self._join = flush_seconds, capacity, join
        self._items: deque[Item] = deque()
        self._waiting, self._counting = 0, threading.Lock()
        self._small: list[Path] = []
        self._patience, self._since = join_seconds, 0.0
        self._number = 0
        self._writing, self._wake, self._ended = threading.Lock(), threading.Event(), False
        self.shed = 0
        """Rows that were lost because the disk didn't keep up."""
        self.failures = 0
        """Writes that failed; their rows are tried again."""
        self.written = 0
        """Rows that the disk has."""
        self._thread = threading.Thread(target=self._run, name=f"log-{kind}", daemon=True)
        self._thread.start()

    def append(self, item: Item) -> bool:
        """Takes a row, or some at a time, without waiting; False: there was no room."""
        size = self._size(item)
        with self._counting:
            if self._waiting + size > self._capacity:
                self.shed += size
                return False
            self._waiting += size
        self._items.append(item)
        return True

    @property
    def waiting(self) -> int:
        """Rows that the disk doesn't have yet."""
        return self._waiting

    def flush(self) -> None:
        """Writes what waits; what can't be written goes on waiting."""
        with self._writing:
            self._write_waiting()
            late = self._patience <= time.monotonic() - self._since
            if self._small and (late or len(self._small) >= self._join):
                self._join_files()

    def _write_waiting(self) -> None:
        items = [self._items.popleft() for _ in range(len(self._items))]
        if not items:
            return
        try:
            frame = self._frame(items)
            written = self._write(frame)
        except (OSError, pl.exceptions.PolarsError) as error:
            self.failures += 1
            # the type alone: an error's text may quote a row
            _LOG.warning("%s log can't be written: %s", self._kind, type(error).__name__)
            self._items.extendleft(reversed(items))
            return
        if not self._small:
            self._since = time.monotonic()
        self._small.append(written)
        self.written += frame.height
        with self._counting:
            self._waiting -= sum(map(self._size, items))

    def _frame(self, items: list[Item]) -> pl.DataFrame:
        """What waits as columns; what can't be (text that is no Unicode) is counted as lost and keeps none back."""
        try:
            return self._to_frame(items)
        except Exception as error:
            if len(items) == 1:
                self.shed += self._size(items[0])
                _LOG.warning("a row of the %s log can't be kept: %s", self._kind, type(error).__name__)
                return self._to_frame([])
            half = len(items) // 2
            return pl.concat([self._frame(items[:half]), self._frame(items[half:])])

    def close(self) -> None:
        """Writes what waits and ends the writer."""
        self._ended = True
        self._wake.set()
        self._thread.join(timeout=10)
        self.flush()
        if self._patience < float("inf"):
            with self._writing:
                self._join_files()

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait(self._every)
            if not self._ended:
                self.flush()

    def _write(self, frame: pl.DataFrame, mark: str = "") -> Path:
        self._number += 1
        name = f"{self._kind}-{time.time_ns() // 1000:017d}-{os.getpid()}-{self._number}{mark}.parquet"
        # the suffix comes with the name under which it is read
        aside = self._folder / f"{ASIDE}{name}".removesuffix(".parquet")
        try:
            with aside.open("wb") as file:
                # what is soon joined needn't be small
                frame.write_parquet(file, compression="zstd" if mark else "lz4", statistics=bool(mark))
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self._folder / name)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        sync_folder(self._folder)
        return self._folder / name

    def _join_files(self) -> None:
        """One file in place of several; a crash between leaves rows twice, which readers tell by their ids."""
        small, self._small = self._small, []
        try:
            # a person may have moved some away meanwhile
            frames = [pl.read_parquet(path) for path in small if path.exists()]
            if frames:
                self._write(pl.concat(frames), JOINED)
            for path in small:
                path.unlink(missing_ok=True)
        except (OSError, pl.exceptions.PolarsError) as error:
            self.failures += 1
            _LOG.warning("files of the %s log can't be joined: %s", self._kind, type(error).__name__)


def read_segments(folder: Path, kind: str) -> pl.DataFrame | None:
    """All rows of a kind, in the order of their files; None where there are none. Unfinished files aren't seen."""
    files = sorted(folder.glob(f"{kind}-*.parquet"))
    if not files:
        return None
    return pl.concat([pl.read_parquet(file) for file in files], how="diagonal_relaxed")

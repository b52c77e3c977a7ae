"""Segments on their way to an object store: what is finished in a folder is copied to a URL, and then removed.

The folder is what a crash leaves intact; the URL is what outlives the machine, a minute behind.
"""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec

from pointsman.bundle.remote import write_remote
from pointsman.serving.log_schema import EVENTS
from pointsman.serving.segments import JOINED

_LOG = logging.getLogger(__name__)


class Shipping:
    """A thread that copies finished files; what can't be copied stays and is tried again."""

    def __init__(self, folder: Path, url: str, *, every: float) -> None:
        """Starts the thread.

        Args:
            folder: of the segments; what processes that ended left in it is finished too.
            url: what fsspec opens, such as s3://bucket/decisions; credentials come from where fsspec looks for them.
            every: seconds between looks, > 0.

        Raises:
            ValueError: no filesystem is known for the URL, or its library is missing.
        """
        try:
            self._system, self._path = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise ValueError(f"decisions can't be kept at {url}: {error}") from None
        self._folder, self._every = folder, every
        self._shipping, self._wake, self._ended = threading.Lock(), threading.Event(), False
        self._events_shipped = -1
        self.failures = 0
        """Copies that failed; they are tried again."""
        self._thread = threading.Thread(target=self._run, name="log-shipping", daemon=True)
        self._thread.start()

    def ship(self) -> None:
        """Copies what is finished, and removes it here."""
        with self._shipping:
            for path in self._finished():
                if not self._copy(path, path.name):
                    return
                path.unlink(missing_ok=True)
            self._ship_events()

    def close(self) -> None:
        """Copies what is finished and ends the thread."""
        self._ended = True
        self._wake.set()
        self._thread.join(timeout=10)
        self.ship()

    def _run(self) -> None:
        while not self._ended:
            self.ship()
            self._wake.wait(self._every)

    def _finished(self) -> Iterator[Path]:
        for path in sorted(self._folder.glob("*-*.parquet")):
            # kind, microseconds, process, number
            process = path.name.split("-")[2]
            if path.stem.endswith(JOINED) or (process.isdigit() and not _runs(int(process))):
                yield path

    def _ship_events(self) -> None:
        """The events so far, under a name of this machine's own: others write there as well."""
        path = self._folder / EVENTS
        size = path.stat().st_size if path.exists() else -1
        if size > self._events_shipped and self._copy(path, f"events-{socket.gethostname()}.jsonl"):
            self._events_shipped = size

    def _copy(self, path: Path, name: str) -> bool:
        try:
            self._system.makedirs(self._path, exist_ok=True)
            write_remote(self._system, f"{self._path}/{name}", path.read_bytes())
        # each filesystem has errors of its own
        except Exception as error:
            self.failures += 1
            _LOG.warning("%s can't be copied to the log's URL: %s", name, type(error).__name__)
            return False
        return True


def _runs(process: int) -> bool:
    """Whether a process of this machine is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

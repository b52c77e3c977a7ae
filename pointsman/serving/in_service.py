"""The router in service, loaded anew when the pointer changes."""

import threading
import time
from pathlib import Path

from pointsman.bundle.pointer import is_url, resolve
from pointsman.errors import BundleError
from pointsman.router import Router


class Reigning:
    """The reigning router of a published root; requests under way keep the one they began with."""

    def __init__(self, path: str | Path, *, every: float, cache: Path | None = None) -> None:
        """Loads the router.

        Args:
            path: a bundle or a published root; a folder or an fsspec URL.
            every: seconds between looks at the pointer, >= 0.
            cache: where bundles from URLs are kept.

        Raises:
            BundleError: the router can't be loaded.
        """
        self._path, self._every, self._cache = path, every, cache
        self._lock = threading.Lock()
        self._where = _where(path)
        self._router = self._load()
        self._looked = time.monotonic()
        self.failures = 0
        """Times that a new router couldn't be loaded and the old one stayed."""

    def get(self) -> Router:
        """The router to use now. One thread loads; others go on with the old one."""
        due = time.monotonic() - self._looked >= self._every
        if due and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looked = time.monotonic()
                self._lock.release()
        return self._router

    def _look(self) -> None:
        before = self._where
        try:
            self._where = _where(self._path)
            if self._where != before:
                self._router = self._load()
        except BundleError:
            self._where = before
            self.failures += 1

    def _load(self) -> Router:
        # each worker thread encodes by itself
        return Router.load(self._where, threads=1, cache=self._cache)


def _where(path: str | Path) -> str | Path:
    if not is_url(path):
        return resolve(Path(path))
    from pointsman.bundle.remote import locate  # noqa: PLC0415  # fsspec is loaded for URLs alone

    return locate(str(path))

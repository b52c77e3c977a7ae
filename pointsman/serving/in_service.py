"""The router in service, loaded anew when the pointer changes."""

import logging
import threading
import time
from pathlib import Path

from pointsman.bundle.pointer import is_url, resolve
from pointsman.bundle.signature import Trust
from pointsman.router import Router

_LOG = logging.getLogger(__name__)
LONGEST_PAUSE = 60.0
"""Seconds between tries to load a router that can't be loaded."""


class InService:
    """The router that a published root points to; requests under way keep the one that they began with."""

    def __init__(
        self,
        path: str | Path,
        *,
        every: float,
        cache: Path | None = None,
        prices: Path | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Loads the router.

        Args:
            path: a bundle or a published root; a folder or an fsspec URL.
            every: seconds between looks at the pointer, >= 0; 0: whoever asks looks, and waits for a new router.
            cache: where bundles from URLs are kept.
            prices: a file of prices that go before the router's; whenever it changes the router is loaded anew.
            trust: who must have signed a router; None: nobody.

        Raises:
            BundleError: the router can't be loaded.
            ValueError: the prices can't be read.
        """
        self._path, self._every, self._cache, self._prices, self._trust = path, every, cache, prices, trust
        self._lock = threading.Lock()
        self._where, self._stamp = _where(path), _stamp(prices)
        self._router = self._load(self._where)
        self._due = time.monotonic() + every
        self._in_a_row = 0
        self.failures = 0
        """Times that a new router couldn't be loaded and the old one stayed."""
        self.last_failure = ""
        """Why, the last time; '' once a router could be loaded."""

    def get(self) -> Router:
        """The router to use now. Another thread looks and loads; nobody waits for it."""
        if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            if self._every:
                threading.Thread(target=self._look, name="reload", daemon=True).start()
            else:
                self._look()
        return self._router

    def _look(self) -> None:
        """Takes up a new router if there is one; the lock is held by whoever asked, and let go here."""
        try:
            where, stamp = _where(self._path), _stamp(self._prices)
            if (where, stamp) != (self._where, self._stamp):
                self._router = self._load(where)
                self._where, self._stamp = where, stamp
            self._in_a_row, self.last_failure = 0, ""
        # whatever goes wrong, a router that works is no reason to stop working
        except Exception as error:
            self.failures += 1
            self._in_a_row += 1
            if str(error) != self.last_failure:
                _LOG.warning("the router in service stays: %s", error)
            self.last_failure = str(error)
        finally:
            pause = self._every * 2 ** min(self._in_a_row, 10)
            self._due = time.monotonic() + max(min(pause, LONGEST_PAUSE), self._every)
            self._lock.release()

    def _load(self, where: str | Path) -> Router:
        # each worker thread encodes by itself
        return Router.load(where, threads=1, cache=self._cache, prices=self._prices, trust=self._trust)


def _stamp(prices: Path | None) -> tuple[int, int] | None:
    """Tells one state of a file from the next; None: there is none, which loading complains of."""
    try:
        found = None if prices is None else prices.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)


def _where(path: str | Path) -> str | Path:
    if not is_url(path):
        return resolve(Path(path))
    from pointsman.bundle.remote import locate  # noqa: PLC0415  # fsspec is loaded for URLs alone

    return locate(str(path))

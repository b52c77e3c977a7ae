"""A client of an SQLite store that several runs share: it waits its turn instead of failing on a locked database."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

_LOCKED = "database is locked"
_WAITS_S = 60.0
"""How long SQLite itself waits for another writer."""
_TRIES = 8
_PREFIX = "sqlite:///"


def waiting_uri(uri: str) -> str:
    """The store's address with SQLite's own waiting time; others stay as they are.

    >>> waiting_uri("sqlite:///mlruns/mlflow.db")
    'sqlite:///mlruns/mlflow.db?timeout=60'
    >>> waiting_uri("http://127.0.0.1:5000")
    'http://127.0.0.1:5000'
    """
    return f"{uri}?timeout={_WAITS_S:.0f}" if uri.startswith(_PREFIX) and "?" not in uri else uri


@contextmanager
def opening(uri: str) -> Iterator[None]:
    """Keeps two processes from creating the tables of one SQLite file at once, and lets readers not block a writer."""
    if not uri.startswith(_PREFIX):
        yield
        return
    path = Path(uri.removeprefix(_PREFIX).partition("?")[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        with closing(sqlite3.connect(path, timeout=_WAITS_S)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        yield


class Patient:
    """A client whose calls are made again where another writer held the database.

    A transaction that began by reading can't wait for one that wrote meanwhile: SQLite refuses it at once, whatever
    its waiting time, and it was rolled back whole.
    """

    def __init__(self, client: Any, sleep: Callable[[float], None] = time.sleep) -> None:
        """Args: client: whose methods are called; sleep: how to wait."""
        self._client, self._sleep = client, sleep

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def called(*arguments: Any, **named: Any) -> Any:
            for turn in range(_TRIES - 1):
                try:
                    return found(*arguments, **named)
                except Exception as error:
                    if _LOCKED not in str(error):
                        raise
                    self._sleep(random.uniform(0.5, 1.0) * 0.1 * 2**turn)  # noqa: S311  # no secret
            return found(*arguments, **named)

        return called

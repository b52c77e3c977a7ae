"""Prefect's servers as an installation needs them: writers wait for each other instead of being refused."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction


def is_command_server() -> bool:
    """Whether this process is the server that Prefect starts for a command where none is named."""
    return os.environ.get("PREFECT__SERVER_EPHEMERAL") == "1"


@contextmanager
def started_beside() -> Iterator[None]:
    """Starts the server that a command needs where none is named, while the block loads what the command is made of.

    A first start makes Prefect's tables, which takes as long as loading torch does. A start that fails is tried again
    by the run itself, which says what is wrong.
    """
    # before the block, since two threads that import Prefect could see each other's half-loaded modules
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415  # two seconds of imports
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    if PREFECT_API_URL.value():
        yield
        return

    def start() -> None:
        with suppress(Exception):
            SubprocessASGIServer().start()

    starting = threading.Thread(target=start, daemon=True)
    starting.start()
    yield
    starting.join()


def leave_terminal() -> None:
    """Takes this process out of reach of the terminal's Ctrl-C, which is for the command: it has still to tell how it
    ended."""
    os.setpgid(0, 0)


def queue_writers() -> None:
    """Has every writing transaction on SQLite take the lock as it begins, in this process.

    SQLite refuses a transaction at once, whatever the timeout, that has read before somebody else wrote and then writes
    itself. The server answers 503 to that, and with twenty runs at a time a client's tries run out.
    """
    from prefect.server.database.configurations import AioSqliteConfiguration  # noqa: PLC0415  # only servers have it

    begin = AioSqliteConfiguration.begin_transaction

    def begin_with_the_lock(
        self: AioSqliteConfiguration, session: "AsyncSession", with_for_update: bool = True
    ) -> "AbstractAsyncContextManager[AsyncSessionTransaction]":
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_with_the_lock  # type: ignore[assignment]

"""Prefect's servers: nobody is refused for reading before it writes, and a command doesn't wait for its server."""

import asyncio
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa
from prefect.server.api.server import SubprocessASGIServer
from prefect.server.database.configurations import AioSqliteConfiguration
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.platform.prefect_server import queue_writers, started_beside

pytestmark = pytest.mark.filterwarnings("ignore")


async def count_at_once(path):
    """Two clients that read a number, wait for each other as long as they may, and write it one higher."""
    database = AioSqliteConfiguration(f"sqlite+aiosqlite:///{path}")
    engine = await database.engine()
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE IF NOT EXISTS counter (number INTEGER)"))
        await connection.execute(sa.text("INSERT INTO counter VALUES (0)"))
    read = [asyncio.Event(), asyncio.Event()]

    async def higher(place):
        async with await database.session(engine) as session, database.begin_transaction(session):
            found = (await session.execute(sa.text("SELECT number FROM counter"))).scalar_one()
            read[place].set()
            # where the other may read too, it does; where it has to wait for this one, this one goes on
            with suppress(TimeoutError):
                await asyncio.wait_for(read[1 - place].wait(), 0.5)
            await session.execute(sa.text("UPDATE counter SET number = :number"), {"number": found + 1})

    await asyncio.gather(higher(0), higher(1))
    async with engine.connect() as connection:
        found = (await connection.execute(sa.text("SELECT number FROM counter"))).scalar_one()
    await engine.dispose()
    return found


def test_who_reads_before_it_writes_waits_instead_of_being_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(AioSqliteConfiguration, "begin_transaction", AioSqliteConfiguration.begin_transaction)
    with pytest.raises(sa.exc.OperationalError, match="database is locked"):
        asyncio.run(count_at_once(tmp_path / "as-it-comes.db"))
    queue_writers()
    assert asyncio.run(count_at_once(tmp_path / "queued.db")) == 2


def test_the_block_runs_while_the_server_starts_and_what_follows_has_it(monkeypatch):
    loaded, started = threading.Event(), threading.Event()

    def start(_):
        # only a block that doesn't wait for the server gets here
        assert loaded.wait(10)
        started.set()

    monkeypatch.setattr(SubprocessASGIServer, "start", start)
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        with started_beside():
            assert not started.is_set()
            loaded.set()
        assert started.is_set()


def test_no_server_starts_beside_one_that_is_named(monkeypatch):
    calls = []
    monkeypatch.setattr(SubprocessASGIServer, "start", lambda _: calls.append(1))
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}), started_beside():
        pass
    assert not calls


def test_a_start_that_fails_is_left_to_the_run(monkeypatch):
    def start(_):
        raise RuntimeError("no port")

    monkeypatch.setattr(SubprocessASGIServer, "start", start)
    with temporary_settings(restore_defaults={PREFECT_API_URL}), started_beside():
        pass

"""Prefect's servers on SQLite: nobody is refused for reading before it writes."""

import asyncio
from contextlib import suppress

import pytest
import sqlalchemy as sa
from prefect.server.database.configurations import AioSqliteConfiguration

from flows.platform.prefect_server import queue_writers

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

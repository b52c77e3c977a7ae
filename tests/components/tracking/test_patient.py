"""Many writers of one SQLite store: each waits its turn."""

import sqlite3
import subprocess
import sys

import pytest

from components.tracking.patient import Patient, opening

WRITER = """
import sys
from pathlib import Path
from components.tracking.registry import Registry
folder = Path(sys.argv[1])
registry = Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")
for number in range(5):
    with registry.run(f"run-{sys.argv[2]}-{number}", params={"a": 1}) as run_id:
        registry.log(run_id, metrics={"quality": 0.5}, tags={"b": "c"})
"""


class Store:
    def __init__(self, failures, error):
        self.failures, self.error, self.calls = failures, error, 0

    def write(self, value):
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return value


def test_a_locked_database_is_waited_for():
    slept = []
    store = Store(3, RuntimeError("(sqlite3.OperationalError) database is locked"))
    assert Patient(store, slept.append).write(7) == 7
    assert len(slept) == 3
    assert slept == sorted(slept)


def test_other_errors_and_a_lock_for_ever_are_told():
    with pytest.raises(ValueError, match="no such run"):
        Patient(Store(1, ValueError("no such run")), pytest.fail).write(1)
    store = Store(99, RuntimeError("database is locked"))
    with pytest.raises(RuntimeError, match="locked"):
        Patient(store, lambda _: None).write(1)
    assert store.calls == 8


def test_a_store_lets_readers_in_while_somebody_writes(tmp_path):
    with opening(f"sqlite:///{tmp_path / 'deep' / 'mlflow.db'}?timeout=60"):
        pass
    with sqlite3.connect(tmp_path / "deep" / "mlflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.slow
def test_twenty_runs_at_once_write_everything(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(number)], stderr=subprocess.PIPE, text=True) for number in range(20)]
    for writer in writers:
        _, said = writer.communicate(timeout=900)
        assert writer.returncode == 0, said[-2000:]
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        assert connection.execute("SELECT count(*) FROM runs WHERE status = 'FINISHED'").fetchone() == (100,)
        assert connection.execute("SELECT count(*) FROM metrics").fetchone() == (100,)

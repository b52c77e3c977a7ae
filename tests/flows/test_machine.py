"""Attack 13: what the machine refuses is one line and exit code 2, and nothing is lost."""

import os
import sqlite3
import subprocess
from contextlib import contextmanager, suppress

import pytest

from components.release.history import read_history
from components.release.publish import publish
from pointsman.bundle.pointer import read_pointer
from pointsman.bundle.reading import is_whole
from pointsman.cli import main
from tests.fixtures.tiny_router import bundle, parts, second

__all__ = ["bundle", "parts", "second"]


@contextmanager
def mounted(folder, *options):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this user may not mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_loses_nothing(bundle, second, tmp_path):
    # whole blocks, as a small disk counts
    size = sum(-(-path.stat().st_size // 4096) * 4096 for path in bundle.iterdir())
    with mounted(tmp_path / "small", "-o", f"size={(size * 3 // 2) // 4096 * 4}k") as root:
        publish(bundle, root)
        with pytest.raises(OSError, match="No space left"):
            publish(second, root)
        assert read_pointer(root) == bundle.name
        assert is_whole(root / bundle.name)
        assert [entry.router_id for entry in read_history(root)] == [bundle.name]
        assert not list(root.glob(".aside-*"))
        # and with not even a block left
        fill(root / "ballast")
        with pytest.raises(OSError, match="No space left"):
            publish(second, root)
        assert read_pointer(root) == bundle.name


def fill(path):
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))


def test_a_read_only_disk_is_one_line(bundle, tmp_path, monkeypatch, capsys):
    with mounted(tmp_path / "home") as home:
        publish(bundle, home / "data" / "published")
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        monkeypatch.setenv("POINTSMAN_HOME", str(home))
        monkeypatch.chdir(tmp_path)
        assert main(["rollback"]) == 2
        first, told = capsys.readouterr().err.splitlines()
        assert first.startswith("rollback: to the router before")
        assert "Read-only file system" in told


def failing(error, monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))

    def read_history(_):
        raise error

    monkeypatch.setattr("components.release.history.read_history", read_history)
    return main(["history"])


def test_a_locked_database_is_one_line(tmp_path, monkeypatch, capsys):
    held = sqlite3.connect(tmp_path / "a.db")
    held.execute("CREATE TABLE t (x)")
    held.execute("BEGIN EXCLUSIVE")
    try:
        sqlite3.connect(tmp_path / "a.db", timeout=0.01).execute("INSERT INTO t VALUES (1)")
    except sqlite3.OperationalError as error:
        locked = RuntimeError("wrapped")
        locked.__cause__ = error
    finally:
        held.close()
    assert failing(locked, monkeypatch, tmp_path) == 2
    assert "a database is locked" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["ENOSPC", "EACCES", "EIO"])
def test_what_the_disk_refuses_is_one_line(tmp_path, monkeypatch, capsys, number):
    import errno

    code = getattr(errno, number)
    assert failing(OSError(code, os.strerror(code), "a/file"), monkeypatch, tmp_path) == 2
    assert capsys.readouterr().err == f"pointsman: a/file: {os.strerror(code)}\n"

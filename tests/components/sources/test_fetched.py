"""A decision log is read from a folder or from a URL alike."""

import fsspec
import pytest

from components.sources.fetched import local_log
from components.tables.errors import TableError


def test_a_folder_is_itself(tmp_path):
    with local_log(tmp_path) as folder:
        assert folder == tmp_path


def test_of_a_url_the_log_is_copied_and_nothing_else(tmp_path):
    system = fsspec.filesystem("memory")
    for name in ("decisions-1.parquet", "events-host.jsonl", "notes.txt", "deeper/outcomes-1.parquet"):
        system.pipe_file(f"/fetched/{name}", name.encode())
    with local_log("memory://fetched") as folder:
        assert {path.name: path.read_text() for path in folder.iterdir()} == {
            "decisions-1.parquet": "decisions-1.parquet",
            "events-host.jsonl": "events-host.jsonl",
        }
    assert not folder.exists()
    system.rm("/fetched", recursive=True)


@pytest.mark.parametrize("url", ["memory://nothing-there", "nosuch://log"])
def test_a_url_that_cannot_be_read_is_named(url):
    with pytest.raises(TableError, match=url), local_log(url):
        pass

"""A table is one file: others of its name are refused or named, never passed over without a word."""

import os
from pathlib import Path

import pytest

from components.tables.errors import TableError
from components.tables.finding import find_table
from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS
from components.tables.store import Tables, read_tables, write_tables


def empty(path: Path, at: int) -> Path:
    path.write_bytes(b"")
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("names", "schema"),
    [
        (("outcomes.parquet", "outcomes.jsonl"), OUTCOMES),
        (("candidates.parquet", "models.parquet"), CANDIDATES),
        (("prompts.json", "prompts.jsonl"), PROMPTS),
    ],
)
def test_a_newer_file_of_the_same_table_is_refused(tmp_path, names, schema):
    old, new = (empty(tmp_path / name, at) for at, name in enumerate(names, start=1))
    with pytest.raises(TableError, match=f"table '{schema.name}' is there more than once") as caught:
        find_table(tmp_path, schema)
    assert f"{new.name} is the newest" in str(caught.value)
    assert old.name in str(caught.value)
    assert find_table(tmp_path, schema, but=(new,)) == old


def test_what_older_versions_left_beside_their_tables_is_named(tables: Tables, tmp_path, caplog):
    write_tables(tables, tmp_path)
    empty(tmp_path / "outcomes.jsonl", 1)
    assert read_tables(tmp_path).outcomes.equals(tables.outcomes)
    assert "outcomes.jsonl is left alone: the table is read from outcomes.parquet, which is newer" in caplog.text


def test_json_files_are_refused_whichever_is_newer(tmp_path):
    empty(tmp_path / "outcomes.jsonl", 2)
    empty(tmp_path / "outcomes.json", 1)
    with pytest.raises(TableError, match=r"outcomes.jsonl and outcomes.json"):
        find_table(tmp_path, OUTCOMES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("outcomes.csv", "outcomes.csv is csv: save it as parquet or JSON lines"),
        ("outcomes.jsonl.gz", "outcomes.jsonl.gz is packed: unpack it first"),
        ("outcomes.parquet/", "outcomes.parquet is a folder: a table is one file"),
        ("outcomes/", "outcomes is a folder: a table is one file"),
        ("Outcomes.JSONL", "Outcomes.JSONL isn't written in small letters: rename it"),
        ("outcomes.xlsx", "outcomes.xlsx is none of parquet, jsonl and json"),
    ],
)
def test_what_lies_there_instead_is_said(tmp_path, name, message):
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("x")
    with pytest.raises(TableError, match=rf"table 'outcomes' is missing \(looked for .*\); {message}"):
        find_table(tmp_path, OUTCOMES)


def test_grades_that_are_no_table_are_named(tables: Tables, tmp_path, caplog):
    write_tables(tables, tmp_path)
    (tmp_path / "grades.csv").write_text("x")
    assert read_tables(tmp_path).grades is None
    assert "no grades are read: grades.csv is csv" in caplog.text

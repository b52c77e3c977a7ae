"""Imports into a folder that has tables already."""

import os
from pathlib import Path

import polars as pl
import pytest

from components.tables.errors import TableError
from components.tables.schema import SCHEMAS
from components.tables.store import read_tables
from tests.components.sources.conftest import LOG, cells, column, prices, row


def test_a_file_of_prices_beside_the_tables_stays_there_and_counts(lines, imported, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for usd in (1, 3):
        given = prices(tmp_path / "data", "models.json", a=usd, b=2)
        os.utime(given, (2e9, 2e9))
        with pytest.raises(TableError, match=r"more than once, as candidates.parquet and models.json"):
            imported("llmrouter", lines(*LOG), prices=given, append=True)
        os.utime(given, (1, 1))
        assert read_tables(tmp_path / "data").candidates["input_usd_per_mtok"].to_list() == [usd, 2]


def test_two_files_of_a_table_are_refused_rather_than_replaced(lines, imported, tmp_path: Path) -> None:
    imported("llmrouter", lines(*LOG))
    other = tmp_path / "data" / "outcomes.jsonl"
    other.write_text('{"prompt_id": "x", "model": "a", "quality": 1}')
    os.utime(other, (2e9, 2e9))
    before = (tmp_path / "data" / "outcomes.parquet").read_bytes()
    with pytest.raises(TableError, match=r"outcomes.parquet and outcomes.jsonl \(outcomes.jsonl is the newest\)"):
        imported("llmrouter", lines(*LOG), append=True)
    assert (tmp_path / "data" / "outcomes.parquet").read_bytes() == before


def test_a_price_that_was_given_once_stays(lines, imported, tmp_path: Path) -> None:
    def log(usd: float, start: int) -> Path:
        calls = [
            {"prompt": f"{n} + {start}?", "model": "a", "score": 1, "input_tokens": 100 + n, "output_tokens": 7 * n}
            for n in range(1, 9)
        ]
        head = ",".join([*calls[0], "cost"])
        rows = [",".join(map(str, [*c.values(), (c["input_tokens"] + c["output_tokens"]) * usd / 1e6])) for c in calls]
        path = tmp_path / "logs" / f"{start}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join([head, *rows]))
        return path

    imported("wide-csv", log(2, 1), prices=prices(tmp_path, "prices.json", a=4.0))
    _, given = imported("wide-csv", log(2, 2), append=True)
    assert given.candidates["input_usd_per_mtok"].to_list() == [4.0]
    _, fitted = imported("wide-csv", log(2, 1), data=tmp_path / "fitted")
    assert fitted.candidates["input_usd_per_mtok"].to_list() == [pytest.approx(2.0)]
    assert fitted.candidates["price_note"][0].startswith("fitted to the cost of 8 calls")


def test_importing_again_changes_nothing(lines, imported, tmp_path: Path) -> None:
    log = lines(*LOG, row("0 + 1?", performance=0), row("0 + 1?", performance=0))
    _, once = imported("llmrouter", log)
    _, twice = imported("llmrouter", log, append=True)
    for schema in SCHEMAS:
        assert getattr(once, schema.name).equals(getattr(twice, schema.name))
    assert not list((tmp_path / "data").glob("*.replaced"))


def test_parts_make_what_the_whole_makes(lines, imported, tmp_path: Path) -> None:
    log = [*LOG, row("0 + 1?", performance=0.5), row("new?", "c", 0.25)]
    _, whole = imported("llmrouter", lines(*log), data=tmp_path / "whole")
    imported("llmrouter", lines(*log[:40]))
    imported("llmrouter", lines(*log), append=True)
    _, parts = imported("llmrouter", lines(*log[50:]), append=True)
    assert cells(parts) == cells(whole)
    assert column(parts, "samples") == column(whole, "samples")


def test_a_grade_that_comes_later_is_taken_up(lines, imported) -> None:
    def spend(quality: float | None) -> dict[str, object]:
        said = {"messages": [{"role": "user", "content": "Hi"}]}
        return {"request_id": "r", "model": "a", "proxy_server_request": said, "metadata": {"quality": quality}}

    _, before = imported("litellm-spend", lines(spend(None)))
    _, after = imported("litellm-spend", lines(spend(0.75)), append=True)
    assert (column(before, "quality"), column(after, "quality")) == ([None], [0.75])
    assert column(after, "samples") == [1]


def test_a_grade_put_into_the_tables_stays(lines, imported, tmp_path: Path) -> None:
    ungraded = lines(*(row(f"{place}?", performance=None) for place in range(5)))
    _, tables = imported("llmrouter", ungraded)
    tables.outcomes.with_columns(quality=pl.lit(0.5), graded_by=pl.lit("ann")).write_parquet(
        tmp_path / "data" / "outcomes.parquet"
    )
    _, again = imported("llmrouter", lines(row("5?")), append=True)
    assert column(again, "quality").count(0.5) == 5
    assert column(again, "graded_by").count("ann") == 5


def test_rows_that_give_way_are_counted(lines, imported, tmp_path: Path) -> None:
    def call(key: str, quality: float | None, thumb: str) -> list[dict[str, object]]:
        chosen = {"decision_id": key, "candidate": "a", "text": "Why?"}
        return [chosen, {"decision_id": key, "quality": quality, "thumb": thumb}]

    imported("decisions", lines(*call("d1", None, "up")))
    tally, tables = imported("decisions", lines(*call("d1", None, "up")), append=True)
    assert "gave way" not in tally.text()
    (tmp_path / "data" / "calls.parquet").unlink()
    tables.outcomes.with_columns(quality=pl.lit(0.25)).write_parquet(tmp_path / "data" / "outcomes.parquet")
    tally, tables = imported("decisions", lines(*call("d2", None, "down")), append=True)
    assert column(tables, "quality") == [0.25]
    assert "1 outcomes that were put in otherwise gave way to calls of the log" in tally.text()
    assert "1 grades of before gave way to those of the log" in tally.text()


def test_tables_made_by_hand_are_added_to(lines, imported, tmp_path: Path) -> None:
    _, old = imported("llmrouter", lines(*LOG))
    (tmp_path / "data" / "calls.parquet").unlink()
    _, new = imported("llmrouter", lines(row("new?", "c")), append=True)
    assert new.outcomes.height == old.outcomes.height + 1
    assert new.candidates["model"].to_list() == ["a", "b", "c"]


def test_without_append_the_old_tables_are_replaced_and_it_is_said(lines, imported, tmp_path: Path) -> None:
    imported("llmrouter", lines(*LOG))
    (tmp_path / "data" / "grades.jsonl").write_text('{"prompt_id": "x"}')
    tally, tables = imported("llmrouter", lines(*LOG[:20]))
    assert tables.outcomes.height == 20
    assert "replaced the tables that were there" in tally.text()
    assert (tmp_path / "data" / "grades.jsonl.replaced").is_file()

"""A decision log that is taken into the tables before a retrain: each decision once, whatever was there stays."""

import polars as pl
import pytest

from components.tables.store import read_tables
from flows.retrain_form import RetrainParameters
from flows.stations.decisions import take_in


def write(folder, name, ids):
    folder.mkdir(exist_ok=True)
    rows = [
        {"decision_id": each, "candidate": "small", "propensity": 0.5, "text": f"add {each}", "router_id": "r"}
        for each in ids
    ]
    pl.DataFrame(rows).write_parquet(folder / f"decisions-{name}.parquet")
    told = [{"decision_id": each, "told_at": None, "quality": 1.0} for each in ids]
    pl.DataFrame(told).write_parquet(folder / f"outcomes-{name}.parquet")


def test_what_is_new_is_added_and_what_was_there_stays(tmp_path):
    log, data = tmp_path / "decisions", tmp_path / "logs"
    assert take_in(log, data) == [f"decisions: none in {log} yet"]
    write(log, "1", ["a", "b"])
    assert "read 4 rows" in take_in(log, data)[0] or "read 2 rows" in take_in(log, data)[0]
    write(log, "2", ["c"])
    for _ in range(2):
        take_in(log, data)
        tables = read_tables(data)
        assert sorted(tables.prompts["prompt"]) == ["add a", "add b", "add c"]
        assert tables.outcomes.select("quality", "propensity").unique().rows() == [(1.0, 0.5)]


def test_decisions_need_tables_to_go_into(tmp_path):
    with pytest.raises(ValueError, match="name it as data"):
        RetrainParameters(decisions=str(tmp_path))

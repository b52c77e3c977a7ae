"""Logs that can't be what they say, or say next to nothing: one line that names the file, the row and the rule."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.sources.appending import CALLS_FILE
from components.sources.importing import SET_ASIDE_FILE, ImportConfig, ImportRefused, import_logs
from components.sources.tally import Tally
from components.tables.store import read_tables
from pointsman.cli import main

MODELS = ("small", "large")


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A call of LiteLLM's spend log."""
    return {
        "request_id": f"r{number}",
        "model_group": MODELS[number % 2],
        "spend": 0.001,
        "prompt_tokens": 10 + number,
        "completion_tokens": 5,
        "startTime": f"2026-01-02T03:{number:02}:00Z",
        "endTime": f"2026-01-02T03:{number:02}:01Z",
        "metadata": {"quality": number % 3 > 0},
        "messages": [{"role": "user", "content": f"{number // 2} + 1?"}],
    } | changes


LOG = [row(number) for number in range(40)]


def imported(folder: Path, rows: Sequence[dict[str, Any]], **settings: Any) -> Tally:
    path = folder / "spend.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return import_logs(ImportConfig(source="litellm-spend", paths=(path,), data=folder / "data", **settings))


def aside(folder: Path) -> list[tuple[int, str]]:
    return list(pl.read_parquet(folder / "data" / SET_ASIDE_FILE).select("row", "reason").iter_rows())


def test_a_log_of_one_model_says_that_there_is_nothing_to_route_and_how_to_explore(tmp_path):
    text = imported(tmp_path, [row(n, model_group="small") for n in range(20)]).text()
    assert "only small has answers: there is nothing to route yet" in text
    assert "pointsman serve --explore 0.1" in text


@pytest.mark.parametrize("propensity", [0, -0.2, 1.5])
def test_impossible_propensities_are_set_aside(tmp_path, propensity):
    told = row(40, metadata={"quality": 1, "pointsman": {"decision_id": "d", "propensity": propensity}})
    imported(tmp_path, [*LOG, told])
    assert aside(tmp_path) == [(41, f"propensity is outside (0, 1]: {float(propensity)!r}")]


def test_times_the_wrong_way_round_and_rows_in_any_order_change_nothing_but_the_latency(tmp_path):
    imported(tmp_path, LOG)
    straight = read_tables(tmp_path / "data").outcomes.sort("prompt_id", "model")
    turned = [one | {"startTime": one["endTime"], "endTime": one["startTime"]} for one in LOG[::-1]]
    imported(tmp_path, turned)
    found = read_tables(tmp_path / "data").outcomes.sort("prompt_id", "model")
    assert found["latency_ms"].null_count() == found.height
    drop = ("latency_ms", "decided_at")
    assert found.drop(drop).equals(straight.drop(drop))


def test_a_conversation_of_ten_megabytes_is_routed_by_its_last_turns(tmp_path):
    long = [
        {"role": "user", "content": "Read this"},
        {"role": "assistant", "content": "word " * 2_000_000},
        {"role": "user", "content": "Now what?"},
    ]
    imported(tmp_path, [*LOG, row(40, messages=long)])
    assert "Read this\n\nNow what?" in read_tables(tmp_path / "data").prompts["prompt"].to_list()
    imported(tmp_path, [*LOG, row(40, messages=[{"role": "user", "content": "word " * 2_000_000}])])
    assert aside(tmp_path) == [(41, "the prompt is longer than 1000000 characters: 10000000")]


@pytest.mark.parametrize("content", ["", "\n \n", "[]"])
def test_a_file_without_rows_is_said_to_have_none(tmp_path, content):
    path = tmp_path / "spend.jsonl"
    path.write_text(content)
    with pytest.raises(ImportRefused, match=r"spend\.jsonl: there is no row of [a-z-]+ in it"):
        import_logs(ImportConfig(source="litellm-spend", paths=(path,), data=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_the_command_ends_with_two_and_one_line_a_rule(tmp_path, capsys):
    path = tmp_path / "spend.jsonl"
    path.write_text("\n".join(json.dumps(row(n, metadata={"quality": 7 + n % 3})) for n in range(20)))
    assert main(["import", "litellm-spend", str(path), "--data", str(tmp_path / "data")]) == 2
    said = capsys.readouterr().err
    assert "--scale 1:10" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data" / CALLS_FILE).exists()

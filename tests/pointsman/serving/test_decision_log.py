"""The decision log: what was decided is on disk once, whole, with its propensity, and outcomes find it."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import polars as pl
import pytest
from fastapi.testclient import TestClient

from components.release.writing import write_bundle
from pointsman.policy.exploration import ExplorationConfig
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.decision_log import DecisionLog, LogConfig, read_log
from pointsman.serving.log_schema import DECISION
from pointsman.serving.segments import Segments, frame_of, read_segments
from tests.fixtures.tiny_router import REPORT

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def client(path, folder, text="full", **config):
    log = LogConfig(folder=folder, text=text, flush_seconds=60)
    return TestClient(create_app(path, ServingConfig(reload_seconds=0, log=log, **config)))


def read(http, folder):
    http.app.state.log.flush()
    return read_log(folder)


def test_decisions_and_their_outcomes_come_back(bundle, prompts, tmp_path):
    http = client(bundle, tmp_path, explore=ExplorationConfig(rate=0.9, quality_gap=1, cost_ratio=1000))
    answer = http.post("/v1/route", json={"prompts": prompts * 4, "session": "s", "tenant": "t"}).json()
    rows = read(http, tmp_path)
    assert rows.columns[: len(DECISION)] == list(DECISION)
    assert rows["decision_id"].to_list() == [d["decision_id"] for d in answer["decisions"]]
    for name in ("candidate", "propensity", "reason", "margin", "predicted_quality"):
        assert rows[name].to_list() == [d[name] for d in answer["decisions"]]
    assert rows["text"].to_list() == prompts * 4
    assert set(rows["router_id"]) == {bundle.name}
    assert (rows["session"].unique().to_list(), rows["tenant"].unique().to_list()) == (["s"], ["t"])
    assert set(rows["propensity"].round(2)) == {0.45, 0.55}
    assert set(rows["explored"]) == {True, False}
    assert rows["quality"].null_count() == rows.height
    first, second = rows["decision_id"][:2]
    for told in (
        {"decision_id": first, "quality": 0.5, "output_tokens": 7},
        {"decision_id": first, "quality": 0.75, "thumb": True},
        {"decision_id": first, "error": True},
        {"decision_id": first, "error": False},
        {"decision_id": second, "error": False},
        {"decision_id": second, "error": True},
        {"decision_id": "never-decided", "cost_usd": 0.1},
    ):
        assert http.post("/v1/outcomes", json=told).json() == {"decision_id": told["decision_id"], "logged": True}
    rows = read(http, tmp_path)
    assert rows.height == 4 * len(prompts)
    assert rows.select("quality", "output_tokens", "thumb", "error").rows()[:2] == [
        (0.75, 7, "up", None),
        (None, None, None, "error"),
    ]


def test_an_id_stands_for_one_prompt_and_its_candidates(bundle, prompts, tmp_path):
    http = client(bundle, tmp_path)
    asked = {"prompt": prompts[0], "decision_id": "trace-7"}
    turns = [{"role": "user", "content": prompts[1]}, {"role": "assistant", "content": "."}]
    first = http.post("/v1/route", json=asked).json()["decisions"]
    assert http.post("/v1/route", json=asked).json()["decisions"] == first
    for changes, message in (
        ({"prompt": prompts[1]}, "another prompt"),
        ({"prompt": None, "messages": [*turns, {"role": "user", "content": prompts[0]}]}, "another prompt"),
        ({"exclude": [first[0]["candidate"]]}, "other candidates"),
    ):
        answer = http.post("/v1/route", json=asked | changes)
        assert answer.status_code == 422
        assert f"decision_id trace-7 was given before, with {message}" in answer.json()["detail"]
    # an id that the server made is one, too
    made = http.post("/v1/route", json={"prompts": prompts[:2]}).json()["decisions"][0]["decision_id"]
    assert http.post("/v1/route", json={"prompt": prompts[0], "decision_id": made}).status_code == 200
    assert http.post("/v1/route", json={"prompt": prompts[2], "decision_id": made}).status_code == 422
    http.post("/v1/outcomes", json={"decision_id": "trace-7", "quality": 1.0})
    rows = read(http, tmp_path)
    assert rows.filter(pl.col("quality") == 1)["text"].to_list() == [prompts[0]]


def test_decisions_that_share_an_id_are_left_out_of_the_log(tmp_path, caplog):
    rows = [("a", "x", "small"), ("a", "x", "small"), ("b", "x", "small"), ("b", "y", "small"), ("c", "x", "small")]
    rows += [("c", "x", "large"), ("d", "x", "large")]
    frame = pl.DataFrame(rows, schema=["decision_id", "digest", "candidate"], orient="row")
    # after a restart the server knows no id of before
    frame.write_parquet(tmp_path / "decisions-1.parquet")
    assert read_log(tmp_path)["decision_id"].to_list() == ["a", "d"]
    assert "2 ids of decisions stand for several prompts or candidates" in caplog.text


def test_tasks_without_labels_have_their_numbers(parts, prompts, tmp_path):
    unnamed = replace(parts, provenance=replace(parts.provenance, tasks=(), task_ids=()))
    # only Parts.write names tasks
    bundle = tmp_path / write_bundle(
        tmp_path, unnamed.model, unnamed.feature_map, unnamed.encoder_folder, unnamed.provenance, REPORT, unnamed.golden
    )
    http = client(bundle, tmp_path / "log")
    decided = http.post("/v1/route", json={"prompts": prompts}).json()["decisions"]
    tasks = [None if d["task"] is None else d["task"]["id"] for d in decided]
    assert read(http, tmp_path / "log")["task"].to_list() == tasks
    assert set(tasks) - {None}
    assert http.get("/v1/traffic").json()["prompts"] == len(prompts)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"decision_id": "a"}, "at least one"),
        ({"quality": 1}, "Field required"),
        ({"decision_id": "a", "quality": 1.5}, "less than or equal to 1"),
        ({"decision_id": "a", "cost_usd": -1}, "greater than or equal to 0"),
        ({"decision_id": "../a", "quality": 1}, "pattern"),
        ({"decision_id": "a", "speed": 1}, "Extra inputs"),
    ],
)
def test_bad_outcomes_are_told_why(bundle, tmp_path, told, message):
    answer = client(bundle, tmp_path).post("/v1/outcomes", json=told)
    assert answer.status_code == 422
    assert message in answer.text


@pytest.mark.parametrize(("setting", "kept"), [("hash", None), ("embedding", True)])
def test_the_setting_says_what_is_kept_of_a_prompt(bundle, prompts, tmp_path, setting, kept):
    http = client(bundle, tmp_path, text=setting)
    http.post("/v1/route", json={"prompts": prompts[:2]})
    rows = read(http, tmp_path)
    assert rows["text"].null_count() == 2
    assert rows["digest"].n_unique() == 2
    width = Router.load(bundle).encode(prompts[:1])[1].shape[1]
    assert rows["embedding"].list.len().to_list() == [width if kept else None] * 2
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert prompts[0].encode() not in everything
    assert http.get("/v1/traffic").json()["recent"][0]["text"] is None


def test_who_opted_out_is_never_explored_on(bundle, prompts, tmp_path):
    explore = ExplorationConfig(rate=0.9, quality_gap=1, cost_ratio=1000, opted_out=frozenset({"calm"}))
    http = client(bundle, tmp_path, explore=explore)
    calm = http.post("/v1/route", json={"prompts": prompts * 5, "tenant": "calm"}).json()["decisions"]
    assert {(d["propensity"], d["reason"] == "explore") for d in calm} == {(1.0, False)}
    asked = {"prompt": prompts[0], "decision_id": "same-again", "explain": True}
    twice = [http.post("/v1/route", json=asked).json()["decisions"][0] for _ in range(2)]
    assert twice[0] == twice[1]
    assert sum(twice[0]["explanation"]["propensities"].values()) == pytest.approx(1)


def test_rows_without_room_are_counted_and_nobody_waits(tmp_path):
    segments = Segments(tmp_path, "decisions", frame_of({"a": pl.Int64}), flush_seconds=60, capacity=3)
    assert [segments.append({"a": value}) for value in range(5)] == [True] * 3 + [False] * 2
    assert segments.shed == 2
    segments.close()
    assert read_segments(tmp_path, "decisions")["a"].to_list() == [0, 1, 2]


def test_a_row_that_cannot_be_written_keeps_no_other_back(tmp_path):
    segments = Segments(tmp_path, "decisions", frame_of({"a": pl.String}), flush_seconds=60)
    for text in ("x", "\ud800", "y"):
        segments.append({"a": text})
    segments.flush()
    assert read_segments(tmp_path, "decisions")["a"].to_list() == ["x", "y"]
    assert segments.shed == 1


def test_small_files_are_joined_and_order_stays(tmp_path):
    segments = Segments(tmp_path, "decisions", frame_of({"a": pl.Int64}), flush_seconds=60, join=4)
    for value in range(10):
        segments.append({"a": value})
        segments.flush()
    assert len(list(tmp_path.glob("*.parquet"))) == 4
    assert read_segments(tmp_path, "decisions")["a"].to_list() == list(range(10))


def test_a_disk_that_fails_loses_nothing_once_it_works_again(tmp_path):
    segments = Segments(tmp_path / "log", "decisions", frame_of({"a": pl.Int64}), flush_seconds=60)
    segments.append({"a": 1})
    (tmp_path / "log").rename(tmp_path / "away")
    segments.flush()
    assert (segments.failures, segments.waiting) == (1, 1)
    (tmp_path / "away").rename(tmp_path / "log")
    segments.flush()
    assert read_segments(tmp_path / "log", "decisions")["a"].to_list() == [1]
    with pytest.raises(OSError, match=r"."):
        DecisionLog(LogConfig(folder=tmp_path / "log" / next((tmp_path / "log").iterdir()).name))


WRITER = """
import sys, time
from pathlib import Path
import polars as pl
from pointsman.serving.segments import Segments, frame_of
columns = frame_of({"a": pl.Int64, "t": pl.Float64})
segments = Segments(Path(sys.argv[1]), "decisions", columns, flush_seconds=0.05, join=5)
value = 0
while True:
    segments.append({"a": value, "t": time.time()})
    value += 1
    if value % 50 == 0:
        print(value, flush=True)
        time.sleep(0.002)
"""


@pytest.mark.slow
def test_killed_at_any_moment_the_log_reads_whole(tmp_path):
    """Of 50 kills none leaves a torn segment, and rows older than a second are there."""
    draw = random.Random(0)
    for turn in range(50):
        folder = tmp_path / str(turn)
        folder.mkdir()
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE)
        child.stdout.readline()
        time.sleep(draw.uniform(0.05, 0.5))
        child.send_signal(signal.SIGKILL)
        killed = time.time()
        child.wait()
        child.stdout.close()
        rows = read_segments(folder, "decisions")
        if rows is None:
            continue
        values = rows["a"].unique().sort()
        assert values.to_list() == list(range(len(values)))
        assert killed - rows["t"].max() < 1.0
    assert os.listdir(tmp_path)

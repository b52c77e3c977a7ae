"""A decision log at a URL: what is finished arrives whole, and what can't be copied stays until it can."""

import subprocess
import sys

import fsspec
import polars as pl
import pytest
from fastapi.testclient import TestClient

from pointsman.policy.exploration import ExplorationConfig
from pointsman.serving import shipping
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.decision_log import LogConfig, read_log
from pointsman.serving.log_schema import EVENTS
from pointsman.serving.shipping import Shipping

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def segment(folder, name):
    pl.DataFrame({"decision_id": [name]}).write_parquet(folder / f"{name}.parquet")


def test_a_served_log_is_at_its_url_when_the_server_has_ended(bundle, prompts, tmp_path):
    store, spool = tmp_path / "store", tmp_path / "spool"
    log = LogConfig(folder=spool, url=f"file://{store}", flush_seconds=60)
    config = ServingConfig(reload_seconds=0, explore=ExplorationConfig(rate=0.5), log=log)
    with TestClient(create_app(bundle, config)) as http:
        decided = []
        for _ in range(3):
            decided += http.post("/v1/route", json={"prompts": prompts}).json()["decisions"]
            http.app.state.log.flush()
        http.post("/v1/outcomes", json={"decision_id": decided[0]["decision_id"], "quality": 0.5})
    rows = read_log(store)
    assert rows["decision_id"].to_list() == [one["decision_id"] for one in decided]
    assert rows["quality"].to_list() == [0.5, *[None] * (len(decided) - 1)]
    # joined, in one file a kind, and nothing stays behind
    assert sorted(path.name.split("-")[0] for path in store.iterdir()) == ["decisions", "outcomes"]
    assert [*spool.iterdir()] == []


def test_what_cannot_be_copied_stays_and_is_tried_again(tmp_path, monkeypatch):
    system = fsspec.filesystem("memory")
    sent = Shipping(tmp_path, "memory://tried-again/log", every=3600)
    sent.close()
    segment(tmp_path, "decisions-1-1-1-joined")
    (tmp_path / EVENTS).write_text("{}\n")
    with monkeypatch.context() as broken:
        broken.setattr(shipping, "write_remote", lambda *_: 1 / 0)
        sent.ship()
    assert sent.failures == 1
    assert (tmp_path / "decisions-1-1-1-joined.parquet").exists()
    sent.ship()
    names = sorted(name.rpartition("/")[2] for name in system.ls("/tried-again/log", detail=False))
    assert names[0] == "decisions-1-1-1-joined.parquet"
    assert names[1].startswith("events-")
    assert [path.name for path in tmp_path.iterdir()] == [EVENTS]
    system.rm("/tried-again", recursive=True)


def test_what_a_killed_server_left_is_sent_and_what_a_living_one_writes_is_not(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    spool, store = tmp_path / "spool", tmp_path / "store"
    spool.mkdir()
    segment(spool, f"decisions-1-{gone.pid}-1")
    # process 1 is there
    segment(spool, "decisions-2-1-1")
    Shipping(spool, f"file://{store}", every=3600).close()
    assert [path.name for path in store.iterdir()] == [f"decisions-1-{gone.pid}-1.parquet"]
    assert [path.name for path in spool.iterdir()] == ["decisions-2-1-1.parquet"]


def test_a_url_without_a_filesystem_is_refused(tmp_path):
    with pytest.raises(ValueError, match="can't be kept at nosuch://log"):
        Shipping(tmp_path, "nosuch://log", every=60)


def test_a_folder_stays_a_folder_and_a_url_has_a_spool(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    assert LogConfig.at("decisions") == LogConfig(folder=LogConfig.at("decisions").folder)
    assert str(LogConfig.at("decisions").folder) == "decisions"
    one, other = (LogConfig.at(url) for url in ("s3://bucket/log", "s3://bucket/other"))
    assert one.url == "s3://bucket/log"
    assert one.folder.parent == other.folder.parent == tmp_path / "data" / "spool"
    assert one.folder != other.folder

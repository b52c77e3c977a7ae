"""What the server logs is what the importer reads: one answer a prompt with its exact propensity, and its grade."""

import pytest
from fastapi.testclient import TestClient

from components.sources.importing import ImportConfig, import_logs
from components.tables.store import read_tables
from pointsman.policy.exploration import ExplorationConfig
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.decision_log import LogConfig

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_a_servers_log_becomes_tables_with_propensities(bundle, prompts, tmp_path):
    explore = ExplorationConfig(rate=0.5, quality_gap=1, cost_ratio=1000)
    log = LogConfig(folder=tmp_path / "log", flush_seconds=60)
    http = TestClient(create_app(bundle, ServingConfig(reload_seconds=0, explore=explore, log=log)))
    texts = [f"{prompt} {number}" for number in range(10) for prompt in prompts]
    decided = http.post("/v1/route", json={"prompts": texts}).json()["decisions"]
    for number, decision in enumerate(decided):
        told = {"decision_id": decision["decision_id"], "quality": number % 2, "output_tokens": 5, "cost_usd": 0.001}
        assert http.post("/v1/outcomes", json=told).status_code == 200
    asked = {"messages": [{"role": "user", "content": "sing"}, {"role": "user", "content": "again"}], "session": "c1"}
    (late,) = http.post("/v1/route", json=asked).json()["decisions"]
    http.app.state.log.flush()

    import_logs(ImportConfig(source="decisions", paths=(log.folder,), data=tmp_path / "data"))
    tables = read_tables(tmp_path / "data")
    rows = tables.outcomes.join(tables.prompts, on="prompt_id")
    assert rows.height == len(texts) + 1
    by_id = {row["decision_id"]: row for row in rows.iter_rows(named=True)}
    for number, (text, decision) in enumerate(zip(texts, decided, strict=True)):
        row = by_id[decision["decision_id"]]
        assert (row["prompt"], row["model"]) == (text, decision["candidate"])
        assert row["propensity"] == pytest.approx(decision["propensity"])
        assert (row["quality"], row["output_tokens"], row["cost_usd"]) == (number % 2, 5, 0.001)
    assert {round(row["propensity"], 2) for row in by_id.values()} == {0.25, 0.75}
    row = by_id[late["decision_id"]]
    assert (row["prompt"], row["conversation_id"], row["quality"]) == ("sing\n\nagain", "c1", None)

"""A retrain's run as a person finds it, in a real MLflow."""

import json

import pytest

from components.tracking.registry import Registry
from flows.stations.run_figures import show

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
ROUTER = {"quality": [0.6, 0.5, 0.7], "cost_usd_per_1000": [1.0, 0.9, 1.1], "regret": 0.1, "aiq": 0.5}
SINGLE = {"quality": [0.5, 0.4, 0.6], "cost_usd_per_1000": [2.0, 1.9, 2.1], "regret": 0.2, "aiq": None}


def test_figures_are_at_the_root_and_every_part_is_a_child(tmp_path):
    mlflow = Registry(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    run_id = mlflow.start_run("retrain")
    (tmp_path / "experts.json").write_text(json.dumps([{"general_loss": 0.3}, {"general_loss": 0.4}]))
    (tmp_path / "router.json").write_text(json.dumps({"guard_margin": 0.01, "fallback": 2, "cost_r2": float("nan")}))
    report = {"methods": {"router": ROUTER, "best_single": SINGLE}, "reliability": []}
    show(mlflow, run_id, report, {name: tmp_path / f"{name}.json" for name in ("experts", "router")})
    client = mlflow._client
    assert {entry.path for entry in client.list_artifacts(run_id)} == {"frontier.svg", "quality.svg"}
    text = (tmp_path / "artifacts" / run_id / "artifacts" / "frontier.svg").read_text()
    assert text.startswith("<svg")
    assert "best_single" in text
    children = client.search_runs([mlflow.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'")
    figures = {child.info.run_name: child.data.metrics for child in children}
    assert figures["method-router"] == {"quality": 0.6, "cost_usd_per_1000": 1.0, "regret": 0.1, "aiq": 0.5}
    assert figures["heads-experts"] == {"part.0.general_loss": 0.3, "part.1.general_loss": 0.4}
    assert figures["heads-router"] == {"guard_margin": 0.01, "fallback": 2}
    assert {child.info.status for child in children} == {"FINISHED"}

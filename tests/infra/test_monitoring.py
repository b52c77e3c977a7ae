"""Dashboard and alerts against the metrics that a server really has: names, labels, and PromQL where a parser is."""

import json
import re
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient

from pointsman.policy.exploration import ExplorationConfig
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.canary import CanaryConfig
from pointsman.serving.decision_log import LogConfig
from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "parts", "prompts", "second"]
pytestmark = pytest.mark.filterwarnings("ignore::Warning")
FOLDER = Path(__file__).parents[2] / "infra" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS += [rule["expr"] for rule in RULES]
GRAFANAS = {"$__rate_interval": "5m", "$__range": "6h"}


def plain(expression):
    for name, value in GRAFANAS.items():
        expression = expression.replace(name, value)
    return expression


@pytest.fixture(scope="module")
def exposed(bundle, second, prompts, tmp_path_factory):
    """Names of all series of a server that did a bit of everything, each with its labels."""
    config = ServingConfig(
        reload_seconds=0,
        log=LogConfig(folder=tmp_path_factory.mktemp("log"), flush_seconds=60),
        explore=ExplorationConfig(rate=0.5),
        shadow=str(second),
        canary=CanaryConfig(share=0.1),
    )
    http = TestClient(create_app(bundle, config))
    decided = http.post("/v1/route", json={"prompts": prompts}).json()["decisions"]
    for told in ({"thumb": "down"}, {"error": True}, {"cost_usd": 0.1}):
        http.post("/v1/outcomes", json={"decision_id": decided[0]["decision_id"], **told})
    http.app.state.service.shadow.wait()
    series = {}
    for line in http.get("/metrics").text.splitlines():
        if not line.startswith("#"):
            name, _, labels = line.rpartition(" ")[0].partition("{")
            series.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return series


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_is_one_that_a_server_has(exposed, expression):
    names = re.findall(r"\bpointsman_\w+", expression)
    assert names
    assert set(names) <= set(exposed)
    labels = set().union(*(exposed[name] for name in names))
    asked = re.findall(r"\bby \(([^)]*)\)", expression) + re.findall(r"\{(\w+)=", expression)
    assert {label.strip() for each in asked for label in each.split(",")} <= labels


def test_legends_name_labels_that_are_there(exposed):
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            kept = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            labels = {label.strip() for each in kept for label in each.split(",")}
            labels = labels or exposed[re.findall(r"\bpointsman_\w+", target["expr"])[0]]
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


def test_expressions_are_promql():
    parser = pytest.importorskip(
        "promql_parser", reason="skipped: promql-parser isn't installed (pip install 'pointsman[infra]')"
    )
    for expression in EXPRESSIONS:
        parser.parse(plain(expression))
    with pytest.raises(ValueError, match=r"."):
        parser.parse("sum by candidate (rate(x[5m])")


def test_the_dashboard_is_what_grafana_reads():
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= set(DASHBOARD)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    (source,) = DASHBOARD["templating"]["list"]
    assert source["type"] == "datasource"
    taken = set()
    for panel in DASHBOARD["panels"]:
        assert panel["datasource"]["uid"] == f"${{{source['name']}}}"
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        taken |= cells


def test_the_rules_are_what_prometheus_reads():
    assert set(ALERTS) == {"groups"}
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
        # an alert compares with something
        assert re.search(r"[<>]", rule["expr"])

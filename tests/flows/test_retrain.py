"""The whole line on a small world, as the command line runs it."""

import json
import subprocess
import sys
from importlib.util import find_spec

import polars as pl
import pytest
from fastapi.testclient import TestClient
from mlflow import MlflowClient
from prefect.artifacts import Artifact

from components.evaluation.gate_config import GateConfig
from components.heads.implicit.head import ImplicitConfig
from components.release.history import read_history
from components.sources.planted.world import PlantedConfig, generate
from flows.drift import DriftParameters, drift
from flows.platform import paths
from flows.platform.settings import settings
from flows.platform.tracking import registry
from flows.release import PromoteParameters, promote
from flows.retrain import LOADED_AHEAD, retrain
from flows.retrain_form import RetrainParameters
from flows.stations.drift_reference import reference_path
from pointsman.bundle.pointer import read_pointer
from pointsman.cli import main
from pointsman.router import Router
from pointsman.serving.app import create_app
from pointsman.serving.log_schema import EVENTS

pytestmark = pytest.mark.filterwarnings("ignore")
METHODS = {
    *("router", "stage1_only", "stage2_only", "best_single", "best_per_benchmark", "knn100", "kmeans60"),
    *("linear", "mlp", "implicit", "random", "oracle"),
}


@pytest.fixture(scope="module")
def first(server):
    # what `auto` chooses is tested with the stations of encoders: distillation takes a third of a run
    return retrain(RetrainParameters(preset="smoke", encoder="int8"))


def test_the_report_judges_every_method(first):
    report = json.loads((first.bundle / "report.json").read_text())
    assert set(report["methods"]) >= METHODS
    oracle = report["methods"]["oracle"]
    for name, method in report["methods"].items():
        low, high = method["quality"][1:]
        assert low <= method["quality"][0] <= high, name
        assert method["quality"][0] <= oracle["quality"][0], name
    assert report["methods"]["router"]["quality"][0] > report["methods"]["random"]["quality"][0]
    assert report["discovery"]["planted_ari"] > 0.5
    assert report["gate"]["verdict"] == first.verdict
    assert (first.verdict == "promoted") == all(c["passed"] for c in report["gate"]["criteria"])
    assert first.report.read_text().startswith("<!doctype html>")


def test_the_verdict_is_in_the_history_and_the_registry(first):
    assert next((e.router_id, e.verdict) for e in read_history(paths.published())) == (
        first.router_id,
        first.verdict,
    )
    challenger = registry().challenger()
    assert challenger.router_id == first.router_id
    assert challenger.tags["verdict"] == first.verdict
    if first.verdict == "promoted":
        assert registry().champion().router_id == first.router_id
        assert Router.load(paths.published()).router_id == first.router_id


def test_mlflow_holds_the_pages_and_a_child_for_each_partition(first):
    mlflow = MlflowClient(settings().tracking_uri)
    kept = {
        f"{a.path}/{b.path.split('/')[-1]}"
        for a in mlflow.list_artifacts(first.run_id)
        for b in mlflow.list_artifacts(first.run_id, a.path)
    }
    pages = {f"report/{name}.html" for name in ("report", "task_map", "validation", "quarantine")}
    assert pages | {"evaluation/report.json", "validation/validation.parquet"} <= kept
    run = mlflow.get_run(first.run_id)
    assert run.inputs.dataset_inputs
    assert len(run.data.metrics) <= 40
    assert {"quality", "gain", "cost_ratio", "savings", "effective_sample_size"} <= set(run.data.metrics)
    assert run.data.params["gate.parity_margin"]
    assert first.run_url.endswith(f"/#/experiments/{run.info.experiment_id}/runs/{first.run_id}")
    children = mlflow.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{first.run_id}'")
    named = {child.info.run_name: child.data for child in children}
    assert {"graph", "density"} == {name.split("-")[-1] for name in named if name.startswith("partition-")}
    assert {f"method-{name}" for name in METHODS} | {f"heads-{s}" for s in ("classifier", "experts", "router")} <= set(
        named
    )
    for name in ("heads-implicit_quality", "heads-implicit_classifier"):
        layer = named[name].metrics
        assert 0 <= layer["residual"] <= ImplicitConfig().solver.tolerance
        assert 1 <= layer["iterations_mean"] <= layer["iterations_max"]
        assert 0 < layer["spectral_radius"] <= layer["norm_inf"] <= 0.95 + 1e-6
    assert named["heads-implicit_quality"].metrics != named["heads-implicit_classifier"].metrics
    assert {"micro", "macro", "coverage", "temperature", "ece"} <= set(named["heads-classifier"].metrics)
    assert named["discovery"].metrics["neighbour_recall"] == 1
    assert named["method-router"].metrics["quality"] > 0
    assert {"frontier.svg", "reliability.svg"} <= {artifact.path for artifact in mlflow.list_artifacts(first.run_id)}
    assert run.data.tags["verdict"] == first.verdict
    assert run.data.metrics["system/system_memory_usage_megabytes"] > 0
    version = mlflow.get_model_version("pointsman", first.version)
    assert "| router |" in version.description
    assert version.description.splitlines()[0].startswith(f"Verdict: {first.verdict}. ")


def test_prefect_shows_what_a_person_looks_for(first):
    keys = ("validation", "tasks", "coverage", "discovery", "evaluation", "verdict", "mlflow-run")
    shown = {key: Artifact.get(key) for key in keys}
    assert all(shown.values())
    assert {"id", "task", "prompts", "best candidate", "quality"} <= set(json.loads(shown["tasks"].data)[0])
    assert "every task is new" in shown["discovery"].data
    assert first.verdict in shown["verdict"].data
    assert first.run_url in shown["mlflow-run"].data


def test_a_second_run_does_nothing_twice(first):
    def kept():
        stages = [path for path in paths.stages().glob("*/*") if path.parent.name != "results"]
        return {path: path.stat().st_mtime_ns for path in [*stages, reference_path(first.router_id)]}

    before = kept()
    second = retrain(RetrainParameters(preset="smoke", encoder="int8"))
    assert kept() == before
    assert second.router_id == first.router_id
    assert second.version == first.version
    promotions = [e for e in read_history(paths.published()) if e.verdict == "promoted"]
    assert len(promotions) == (first.verdict == "promoted")


def test_fresh_prompts_of_the_same_world_are_no_drift_and_a_new_kind_is(first, tmp_path):
    fresh = generate(PlantedConfig(prompts=90, seed=7)).tables.prompts["prompt"].to_list()
    recipes = [
        f"Give me a {how} recipe for {dish} that serves {guests}, with oven temperature and cooking time."
        for how in ("quick", "vegetarian")
        for guests, dish in enumerate(("lasagne", "apple crumble", "pumpkin soup", "ratatouille", "shepherd's pie"), 2)
    ]
    for name, prompts in (("same", fresh), ("new", fresh + recipes)):
        (tmp_path / name).mkdir()
        pl.DataFrame({"prompt": prompts}).write_parquet(tmp_path / name / "prompts.parquet")
    same, new = (drift(DriftParameters(recent=tmp_path / name, router=first.bundle)) for name in ("same", "new"))
    assert same.verdict == "no drift"
    assert new.verdict == "drift"
    groups = json.loads(new.report.with_name("drift.json").read_text())["report"]["groups"]
    assert all("recipe" in group["keywords"] for group in groups)
    assert sum(group["recent"] for group in groups) >= 8


def test_routing_a_file_needs_no_training_stack(first, tmp_path):
    pl.DataFrame({"prompt": ["What is 2 + 2?", "Translate 'bread' to French."], "mine": [1, 2]}).write_parquet(
        tmp_path / "in.parquet"
    )
    code = (
        "import sys; from pointsman.cli import main; "
        f"main(['route', '--router', {str(first.bundle)!r}, '--input', {str(tmp_path / 'in.parquet')!r}, "
        f"'--output', {str(tmp_path / 'out.parquet')!r}]); "
        "heavy = {'torch', 'prefect', 'mlflow', 'lightning', 'pandas', 'sklearn', 'scipy'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    decided = pl.read_parquet(tmp_path / "out.parquet")
    assert decided["mine"].to_list() == [1, 2]
    scores = decided["scores"].to_list()
    for row, chosen in zip(decided.iter_rows(named=True), scores, strict=True):
        assert row["candidate"] in {s["candidate"] for s in chosen}
        assert row["reason"] in {"task", "general", "doubt", "novel"}
        assert {"task", "predicted_quality", "expected_cost_usd"} <= set(row)


def test_jsonl_and_policies(first, tmp_path, capsys):
    (tmp_path / "in.jsonl").write_text('{"prompt": "What is 2 + 2?"}\n{"prompt": "Name three rivers."}\n')
    arguments = ["route", "--router", str(first.bundle), "--input", str(tmp_path / "in.jsonl")]
    for policy in ("best", "budget=1", "quality=0.5", "tradeoff=0.01"):
        assert main([*arguments, "--output", str(tmp_path / "out.jsonl"), "--policy", policy]) == 0
        assert pl.read_ndjson(tmp_path / "out.jsonl").height == 2
    for policy, message in (("cheapest", "policy"), ("budget=0.0000000001", "budget")):
        assert main([*arguments, "--output", str(tmp_path / "no.jsonl"), "--policy", policy]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "no.jsonl").exists()


def test_a_changed_byte_is_refused(first, tmp_path, capsys):
    import shutil

    copy = tmp_path / first.router_id
    shutil.copytree(first.bundle, copy)
    weights = bytearray((copy / "router.safetensors").read_bytes())
    weights[len(weights) // 2] ^= 1
    (copy / "router.safetensors").write_bytes(weights)
    (tmp_path / "in.jsonl").write_text('{"prompt": "hello"}\n')
    arguments = [
        "route",
        "--router",
        str(copy),
        "--input",
        str(tmp_path / "in.jsonl"),
        "--output",
        str(tmp_path / "o.jsonl"),
    ]
    assert main(arguments) == 2
    assert "router.safetensors" in capsys.readouterr().err


def test_what_is_promoted_is_at_the_url_and_served_from_there(first, tmp_path, monkeypatch):
    far, memory = f"file://{tmp_path / 'far'}", "memory://routers-of-a-retrain"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", far)
    lenient = GateConfig(
        champion_margin=1, parity_margin=1, calibration_error=1, leave_one_out_floor=-1, latency_ms=1e6
    )
    verdict = retrain(RetrainParameters(preset="smoke", encoder="int8", gate=lenient))
    assert verdict.verdict == "promoted", verdict.reasons
    monkeypatch.setenv("POINTSMAN_PUBLISH_URL", memory)
    assert promote(PromoteParameters()).router_id == verdict.router_id
    fresh = generate(PlantedConfig(prompts=40, seed=11)).tables.prompts["prompt"].to_list()
    here = Router.load(paths.published())
    assert here.router_id == verdict.router_id
    for policy in ("best", "tradeoff=0.01"):
        wanted = here.route(fresh, policy).to_columns()
        for url in (far, memory):
            with TestClient(create_app(url)) as client:
                told = client.post("/v1/route", json={"prompts": fresh, "policy": policy}).json()
            assert told["router_id"] == verdict.router_id
            assert [decision["candidate"] for decision in told["decisions"]] == wanted["candidate"]
            # a server encodes requests in pieces, and sums of other lengths are rounded otherwise
            predicted = [decision["predicted_quality"] for decision in told["decisions"]]
            assert predicted == pytest.approx(wanted["predicted_quality"], abs=1e-6)
    assert (tmp_path / "far" / "history.jsonl").read_bytes() == (paths.published() / "history.jsonl").read_bytes()


def test_what_processes_load_ahead_is_there():
    assert all(find_spec(name) for name in LOADED_AHEAD)


def test_bad_logs_stop_the_run_with_file_and_rule(server, tmp_path):
    from components.sources.planted.world import PlantedConfig, write_world

    write_world(tmp_path, PlantedConfig(prompts=60))
    outcomes = pl.read_parquet(tmp_path / "outcomes.parquet")
    outcomes.with_columns(quality=pl.lit(2.0)).write_parquet(tmp_path / "outcomes.parquet")
    published = set(paths.published().glob("*"))
    with pytest.raises(ValueError, match=r"outcomes\.parquet.*quality"):
        retrain(RetrainParameters(preset="smoke", data=tmp_path))
    assert set(paths.published().glob("*")) == published


@pytest.mark.slow
def test_what_passes_waits_for_a_person_or_for_a_canary(first, tmp_path):
    price = float(
        json.loads((first.bundle / "report.json").read_text())["operating"]["policy"].removeprefix("tradeoff=")
    )

    def waiting(approve, times):
        policy = f"tradeoff={times * price:g}"
        # what is asked here is who publishes, not how much so few prompts show, nor what another policy costs
        gate = GateConfig(parity_margin=0.1, champion_margin=0.1, champion_cost_ratio=10, greatest_cost_ratio=10)
        return retrain(RetrainParameters(preset="smoke", encoder="int8", policy=policy, approve=approve, gate=gate))

    served = read_pointer(paths.published())
    left = waiting("person", 1.1)
    assert (left.verdict, read_pointer(paths.published())) == ("awaits approval", served)
    assert promote(PromoteParameters()).verdict == "promoted"
    assert read_pointer(paths.published()) == left.router_id
    tried = waiting("canary", 1.2)
    assert (tried.verdict, read_pointer(paths.canary())) == ("to canary", tried.router_id)
    assert promote(PromoteParameters(canary=str(tmp_path))).verdict == "to canary"
    assert read_pointer(paths.published()) == left.router_id
    end = {"event": "canary succeeded", "router_id": tried.router_id, "why": "1000 outcomes"}
    (tmp_path / EVENTS).write_text(json.dumps(end) + "\n")
    assert promote(PromoteParameters(canary=str(tmp_path))).verdict == "promoted"
    assert read_pointer(paths.published()) == tried.router_id

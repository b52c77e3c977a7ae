import pytest

from components.release.publish import publish, rollback
from components.release.repair import reconcile
from components.tracking.registry import Registry
from components.tracking.run_figures import report_metrics
from pointsman.bundle.reading import read_bundle

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.filterwarnings("ignore::Warning")
REPORT = {"operating": {"quality": [0.6, 0.5, 0.7], "cost_ratio": None}, "gate": {"criteria": []}}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    return Registry(f"sqlite:///{folder / 'db' / 'mlflow.db'}", folder / "artifacts")


@pytest.fixture(scope="module")
def versions(registry, bundle, second):
    run_id = registry.start_run("retrain", params={"seed": 0}, tags={"preset": "smoke"})
    made = [
        registry.register(run_id, path, REPORT, "# A router", tags={"data_digest": "d"}) for path in (bundle, second)
    ]
    registry.finish(run_id)
    return made


def client(registry):
    return registry._client


def test_runs_hold_what_was_logged(registry, tmp_path):
    parent = registry.start_run("retrain")
    child = registry.start_run("heads", parent=parent, params={"hidden": 8, "long": "x" * 9000})
    registry.log(child, metrics={f"m{i}": i / 7 for i in range(1500)})
    registry.log_dataset(child, "frontier", "a" * 64, "shared/data/frontier", rows=12)
    (tmp_path / "page.html").write_text("<p>hello</p>")
    registry.log_folder(child, tmp_path, "report")
    registry.finish(child)
    registry.finish(parent, "FAILED")
    found = client(registry).get_run(child)
    assert found.data.tags["mlflow.parentRunId"] == parent
    assert found.data.metrics["m1499"] == 1499 / 7
    assert len(found.data.metrics) == 1500
    assert found.inputs.dataset_inputs[0].dataset.name == "frontier"
    assert '"rows": 12' in found.inputs.dataset_inputs[0].dataset.profile
    assert [entry.path for entry in client(registry).list_artifacts(child, "report")] == ["report/page.html"]
    assert client(registry).get_run(parent).info.status == "FAILED"


def test_a_run_holds_children_figures_and_the_machines_load(registry):
    import time

    parent = registry.start_run("retrain")
    with registry.monitored(parent, every=0.05):
        time.sleep(0.4)
    registry.log_text(parent, "<svg/>", "frontier.svg")
    child = registry.child(parent, "method-router", metrics={"quality": 0.6}, tags={"kind": "method"})
    found, under = client(registry).get_run(parent), client(registry).get_run(child)
    assert found.data.metrics["system/system_memory_usage_megabytes"] > 0
    assert 0 <= found.data.metrics["system/cpu_utilization_percentage"] <= 100
    assert [entry.path for entry in client(registry).list_artifacts(parent)] == ["frontier.svg"]
    assert (under.data.tags["mlflow.parentRunId"], under.info.status) == (parent, "FINISHED")
    assert (under.data.metrics, under.data.tags["kind"]) == ({"quality": 0.6}, "method")


def test_a_version_is_labelled_and_challenges(registry, versions, second):
    found = client(registry).get_model_version_by_alias("pointsman", "challenger")
    assert str(found.version) == versions[1]
    assert found.tags["router_id"] == second.name
    assert found.tags["data_digest"] == "d"
    assert found.description == "# A router"
    assert client(registry).get_run(found.run_id).data.metrics["quality"] == 0.6


def test_a_description_takes_the_place_of_the_one_before(registry, versions):
    registry.describe(versions[0], "It waits.")
    found = client(registry).get_model_version("pointsman", versions[0])
    assert (found.description, found.tags["data_digest"]) == ("It waits.", "d")


def test_the_same_router_again_is_the_same_version(registry, versions, bundle):
    run_id = registry.start_run("again")
    assert registry.register(run_id, bundle, REPORT, "") == versions[0]
    run = registry._client.get_run(run_id)
    assert run.data.tags["router_id"] == read_bundle(bundle).manifest.router_id
    assert run.data.metrics == report_metrics(REPORT)


def test_a_stored_model_routes(registry, versions, bundle, prompts):
    from pointsman.router import Router

    mlflow.set_tracking_uri(registry._client.tracking_uri)
    try:
        model = mlflow.pyfunc.load_model(f"models:/pointsman/{versions[0]}")
    finally:
        mlflow.set_tracking_uri(None)
    import pandas as pd

    assert model.metadata.signature.inputs.input_names() == ["prompt"]
    found = model.predict(pd.DataFrame({"prompt": prompts}))
    routing = Router.load(bundle).route(prompts)
    assert list(found["candidate"]) == routing.candidate
    cheap = model.predict(pd.DataFrame({"prompt": prompts}), params={"policy": "quality=0"})
    assert set(cheap["candidate"]) == {"small"}


def test_the_pointer_and_the_champion_move_together(registry, versions, bundle, second, tmp_path):
    publish(bundle, tmp_path, registry=registry)
    assert registry.champion().version == versions[0]
    publish(second, tmp_path, registry=registry)
    assert registry.champion().router_id == second.name
    assert rollback(tmp_path, registry=registry) == bundle.name
    assert registry.champion().version == versions[0]
    registry.make_champion(versions[1])
    assert reconcile(tmp_path, registry).done == (f"version {versions[0]} is champion",)
    assert reconcile(tmp_path, registry).done == ()


def test_an_unregistered_router_leaves_no_champion(registry, versions, parts, tmp_path):
    other = parts.write(tmp_path / "made", seed=99)
    publish(other, tmp_path / "root", registry=registry)
    assert registry.champion() is None


@pytest.mark.slow
def test_the_champion_answers_invocations(registry, versions, bundle, prompts):
    import json
    import os
    import socket
    import subprocess
    import sys
    import time
    import urllib.error
    import urllib.request

    from pointsman.router import Router

    registry.make_champion(versions[0])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/pointsman@champion"]
    command += ["--env-manager", "local", "--port", str(port), "--workers", "1"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": registry._client.tracking_uri}
    path = os.pathsep.join([os.path.dirname(sys.executable), environment.get("PATH", "")])
    worker = subprocess.Popen(
        command, env={**environment, "PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        body = json.dumps({"dataframe_split": {"columns": ["prompt"], "data": [[prompt] for prompt in prompts]}})
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body.encode(), {"content-type": "application/json"}
        )
        for _ in range(240):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    found = json.load(answer)["predictions"]
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.5)
    finally:
        worker.terminate()
        worker.wait(30)
    assert [row["candidate"] for row in found] == Router.load(bundle).route(prompts).candidate

"""The study as the command line and the dashboard run it."""

import json

import pytest
from mlflow import MlflowClient
from prefect.artifacts import Artifact
from prefect.testing.utilities import prefect_test_harness

import flows.extrapolation
from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.methods import TrainingConfig
from components.extrapolation.study import StudyConfig, run_problem
from flows.extrapolation import ExtrapolationParameters, extrapolation, study_config
from flows.platform.settings import settings
from pointsman.cli import main

pytestmark = pytest.mark.filterwarnings("ignore")
TINY = StudyConfig(train=100, test=30, training=TrainingConfig(epochs=2, batch_size=50, learning_rate=1e-2))


@pytest.fixture(scope="module")
def calls():
    """The (problem, seed) pairs that were trained in earnest."""
    return []


@pytest.fixture(scope="module", autouse=True)
def server(calls):
    def counted(problem, seed, *rest):
        calls.append((problem, seed))
        return run_problem(problem, seed, *rest)

    with pytest.MonkeyPatch.context() as patch, prefect_test_harness(server_startup_timeout=120):
        patch.setattr(flows.extrapolation, "run_problem", counted)
        patch.setattr(flows.extrapolation, "study_config", lambda _: TINY)
        yield


@pytest.fixture(scope="module")
def studied(server):
    return extrapolation(ExtrapolationParameters(preset="smoke", problems=["identity", "rolling_average"], seeds=1))


def test_the_page_and_its_tables_are_there(studied):
    assert studied.page.read_text().startswith("<!doctype html>")
    report = json.loads((studied.data / "extrapolation.json").read_text())
    assert [p["name"] for p in report["problems"]] == ["identity", "rolling_average"]
    for problem in report["problems"]:
        for family in problem["families"].values():
            assert set(family["methods"]) == set(CATALOGUE[problem["name"]].methods)
    assert len(studied.verdicts) == len(report["findings"]) == 8


def test_mlflow_holds_the_study_with_a_child_for_each_problem(studied):
    mlflow = MlflowClient(settings().tracking_uri)
    run = mlflow.get_run(studied.run_id)
    assert run.info.status == "FINISHED"
    assert "report/extrapolation.html" in {a.path for a in mlflow.list_artifacts(studied.run_id, "report")}
    children = mlflow.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{studied.run_id}'")
    assert {child.info.run_name for child in children} == {"extrapolation-identity", "extrapolation-rolling_average"}
    for child in children:
        assert child.info.status == "FINISHED"
        assert (
            child.data.metrics[f"least_squares.{'scale_200' if 'identity' in child.info.run_name else 'offset_100'}"]
            < 1e-6
        )


def test_prefect_shows_the_verdicts_and_the_way_to_mlflow(studied):
    rows = json.loads(Artifact.get("extrapolation-verdicts").data)
    assert [tuple(row.values()) for row in rows] == list(studied.verdicts)
    assert studied.run_url in Artifact.get("extrapolation-mlflow-run").data


def test_a_further_seed_trains_nothing_that_was_trained_before(studied, calls, capsys):
    assert sorted(calls) == [("identity", 0), ("rolling_average", 0)]
    arguments = ["extrapolate", "--preset", "smoke", "--problem", "identity", "--problem", "rolling_average"]
    assert main([*arguments, "--seeds", "1"]) == 0
    assert len(calls) == 2
    assert main([*arguments, "--seeds", "2"]) == 0
    assert sorted(calls[2:]) == [("identity", 1), ("rolling_average", 1)]
    shown = capsys.readouterr().out
    assert "least squares' largest error" in shown
    assert "extrapolation.html" in shown


def test_bad_requests_are_refused_before_anything_is_trained(calls, tmp_path, capsys):
    before = len(calls)
    assert main(["extrapolate", "--problem", "chess"]) == 2
    assert "unknown problem 'chess'" in capsys.readouterr().err
    assert main(["extrapolate", "--data", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err
    assert len(calls) == before


def test_smoke_is_smaller_than_full():
    full, smoke = study_config("full"), study_config("smoke")
    assert smoke.train < full.train == 10_000
    assert smoke.test < full.test == 3_000


@pytest.mark.slow
def test_the_smoke_preset_judges_every_problem(monkeypatch):
    monkeypatch.setattr(flows.extrapolation, "study_config", study_config)
    studied = extrapolation(ExtrapolationParameters(preset="smoke"))
    assert {row[0].split()[0] for row in studied.verdicts} == set(CATALOGUE)

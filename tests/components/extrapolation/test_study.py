"""A run measures every model on every test, and comes back from disk as it went."""

import math
from dataclasses import replace

import pytest

from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.methods import TrainingConfig
from components.extrapolation.report import report_metrics, study_report
from components.extrapolation.study import Measured, ProblemRun, StudyConfig, read_run, run_problem, write_run

TINY = StudyConfig(train=100, test=30, training=TrainingConfig(epochs=2, batch_size=50, learning_rate=1e-2))


@pytest.fixture(scope="module")
def run():
    return run_problem("identity", 4, TINY)


def test_every_model_meets_every_test(run):
    problem = CATALOGUE["identity"].make(4, 100, 30, None)
    expected = {(m, test.at) for m in CATALOGUE["identity"].methods for test in problem.tests}
    assert {(row.method, row.at) for row in run.measured} == expected
    assert len(run.measured) == len(expected)
    assert all(row.seed == 4 and row.error >= 0 for row in run.measured)
    exact = [row.error for row in run.measured if row.method == "least_squares"]
    assert max(exact) < 1e-10


def test_only_the_implicit_model_has_a_depth_and_it_grows_only_absolutely(run):
    deep = {row.at: row for row in run.measured if row.relative_iterations is not None}
    assert {row.method for row in deep.values()} == {"implicit"}
    assert deep[200].absolute_iterations > deep[5].absolute_iterations
    assert deep[200].relative_iterations == pytest.approx(deep[5].relative_iterations, rel=0.1)


def test_a_run_survives_the_disk_even_with_infinite_errors(tmp_path, run):
    row = run.measured[0]
    odd = ProblemRun(problem="p", metric="rmse", source="s", measured=(row, replace(row, error=math.inf)))
    for one in (run, odd):
        write_run(one, tmp_path / "run.json")
        assert read_run(tmp_path / "run.json") == one


def test_the_report_holds_medians_and_findings(run):
    report = study_report([run])
    (problem,) = report["problems"]
    shown = problem["families"]["scale"]
    assert shown["at"] == [5, 10, 20, 50, 100, 200]
    errors = {row.at: row.error for row in run.measured if row.method == "mlp"}
    assert shown["methods"]["mlp"] == [[errors[at]] * 3 for at in shown["at"]]
    assert {f["verdict"] for f in report["findings"]} <= {"holds", "holds only because", "doesn't hold"}
    assert report_metrics(problem)["mlp.scale_200"] == errors[200]


def test_an_infinite_error_is_null_in_the_report(run):
    measured = tuple(
        replace(row, error=math.inf) if (row.method, row.at) == ("lstm", 200) else row for row in run.measured
    )
    report = study_report([replace(run, measured=measured)])
    assert report["problems"][0]["families"]["scale"]["methods"]["lstm"][-1] == [None, None, None]
    metrics = report_metrics(report["problems"][0])
    assert "lstm.scale_100" in metrics
    assert "lstm.scale_200" not in metrics


def test_the_same_run_twice_is_refused(run):
    with pytest.raises(ValueError, match="run twice with the same seed"):
        study_report([run, run])
    with pytest.raises(ValueError, match="no problem"):
        study_report([])


def test_unknown_problems_and_too_little_data_are_refused():
    with pytest.raises(ValueError, match="unknown problem 'chess'"):
        run_problem("chess", 0, TINY)
    with pytest.raises(ValueError, match="train must be >= 100"):
        StudyConfig(train=10)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_problem_runs_on_generated_data(name):
    run = run_problem(name, 0, TINY if name != "spiky" else replace(TINY, train=400))
    assert {row.method for row in run.measured} == set(CATALOGUE[name].methods)
    assert all(isinstance(row, Measured) and row.error > 0 for row in run.measured if row.method == "mlp")

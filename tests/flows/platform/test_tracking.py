"""The retrain's run in a real MLflow database and, where it says whether a maker lives, a real Prefect server."""

import pytest
from prefect import flow
from prefect.context import FlowRunContext
from prefect.testing.utilities import prefect_test_harness

from components.tracking.abandoned import OWNER
from components.tracking.registry import PARENT
from flows.platform.tracking import FLOW_RUN, maker_alive, registry, tracked

pytestmark = pytest.mark.filterwarnings("ignore")
ELSEWHERE = "elsewhere 1 x"


@pytest.fixture(autouse=True)
def mlflow(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path_factory.getbasetemp() / "tracking"))
    return registry()


def status(mlflow, run_id):
    return mlflow._client.get_run(run_id).info.status


def test_a_run_is_open_inside_and_finished_after(mlflow):
    with tracked({"seed": 3}) as run_id:
        assert run_id in mlflow.unfinished()
    assert status(mlflow, run_id) == "FINISHED"
    assert mlflow._client.get_run(run_id).data.params["seed"] == "3"


@pytest.mark.parametrize(("error", "ended"), [(ValueError("bad row"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_an_error_ends_the_run_and_its_open_children(mlflow, error, ended):
    def stop():
        with tracked({}) as run_id:
            made.extend([run_id, mlflow.start_run("child", parent=run_id)])
            raise error

    made, other = [], mlflow.start_run("other", tags={PARENT: "none"})
    with pytest.raises(type(error)):
        stop()
    assert [status(mlflow, run_id) for run_id in made] == [ended, ended]
    assert status(mlflow, other) == "RUNNING"


@pytest.mark.slow
def test_a_dead_run_of_another_machine_is_known_by_its_flow_run(mlflow):
    @flow
    def asks(dead_flow_run):
        me = str(FlowRunContext.get().flow_run.id)
        own = maker_alive({OWNER: ELSEWHERE, FLOW_RUN: me})
        dead = maker_alive({OWNER: ELSEWHERE, FLOW_RUN: dead_flow_run})
        waiting = mlflow.start_run("dead", tags={OWNER: ELSEWHERE, FLOW_RUN: dead_flow_run})
        with tracked({}) as run_id:
            return own, dead, status(mlflow, waiting), mlflow._client.get_run(run_id).data.tags[FLOW_RUN] == me

    @flow
    def fails():
        ids.append(str(FlowRunContext.get().flow_run.id))
        running.append(maker_alive({OWNER: ELSEWHERE, FLOW_RUN: ids[0]}))
        nested.append(asks_alive(ids[0]))
        raise ValueError("over")

    @flow
    def asks_alive(flow_run):
        return maker_alive({OWNER: ELSEWHERE, FLOW_RUN: flow_run})

    ids, running, nested = [], [], []
    with prefect_test_harness(server_startup_timeout=120):
        with pytest.raises(ValueError, match="over"):
            fails()
        assert nested == [True]
        assert asks(ids[0]) == (False, False, "KILLED", True)
        assert maker_alive({OWNER: ELSEWHERE, FLOW_RUN: "00000000-0000-4000-8000-000000000000"}) is None
        assert maker_alive({OWNER: ELSEWHERE}) is None

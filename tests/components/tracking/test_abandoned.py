"""Runs in a real MLflow database whose maker was killed."""

import signal
import subprocess
import sys

import pytest

from components.tracking.abandoned import OWNER, close_abandoned, owner_alive
from components.tracking.owner import Owner
from components.tracking.registry import Registry

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
MAKER = """
import sys
from pathlib import Path
from components.tracking.registry import Registry
mlflow = Registry(sys.argv[1], Path(sys.argv[2]))
parent = mlflow.start_run("retrain")
print(parent, mlflow.start_run("partition", parent=parent), flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("abandoned")
    return f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts"


def test_runs_of_a_killed_process_are_closed_and_no_others(place):
    registry = Registry(*place)
    mine, elsewhere, nobody = (
        registry.start_run("mine"),
        registry.start_run("elsewhere", tags={OWNER: str(Owner(host="elsewhere", pid=1, started="x"))}),
        registry.start_run("nobody", tags={OWNER: ""}),
    )
    maker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", MAKER, place[0], str(place[1])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    dead = set(maker.stdout.readline().split())
    assert len(dead) == 2
    assert close_abandoned(registry) == ()
    assert set(registry.unfinished()) == {mine, elsewhere, nobody} | dead

    maker.send_signal(signal.SIGKILL)
    maker.communicate()
    assert set(close_abandoned(registry)) == dead
    assert set(registry.unfinished()) == {mine, elsewhere, nobody}
    assert {registry._client.get_run(run_id).info.status for run_id in dead} == {"KILLED"}
    assert close_abandoned(registry) == ()


def test_who_knows_more_of_a_maker_may_say_so(place):
    registry = Registry(*place)
    run_id = registry.start_run("elsewhere", tags={OWNER: "elsewhere 1 x", "flow": "crashed"})
    closed = close_abandoned(
        registry, lambda tags: False if tags.get("flow") == "crashed" else owner_alive(tags), "FAILED"
    )
    assert closed == (run_id,)
    assert registry._client.get_run(run_id).info.status == "FAILED"

"""Twenty runs at once on SQLite: everybody waits a moment, and nobody meets a locked database."""

import json
import os
import subprocess
import sys

import pytest

RUNS = 20
RUN = """
import sys
from flows.platform.settings import prepare_environment
prepare_environment()
from prefect import flow, task
from prefect.artifacts import create_table_artifact
from flows.platform.tracking import registry

@task
def station(number):
    return number

@flow(log_prints=True)
def overlapping(name):
    mlflow = registry("overlapping")
    with mlflow.run(name) as run_id:
        for number in range(5):
            print("station", station(number))
            mlflow.log(run_id, metrics={f"figure_{place}": place for place in range(40)}, step=number)
            mlflow.child(run_id, f"child-{number}", metrics={"quality": 0.5})
    create_table_artifact(table=[{"run": name}], key="overlapping", description="a row")

overlapping(sys.argv[1])
"""


@pytest.mark.slow
def test_twenty_overlapping_runs_meet_no_locked_database(tmp_path, operations):
    home = tmp_path.resolve()
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    with operations.dashboards(home, operations.free_port(), operations.free_port()) as (api, _):
        runs = [
            subprocess.Popen(
                [sys.executable, "-c", RUN, str(number)],
                env={**clean, "POINTSMAN_HOME": str(home)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for number in range(RUNS)
        ]
        told = [run.communicate(timeout=1500)[0] for run in runs]
        status, body = operations.answers(f"{api}/flow_runs/filter", {})
        states = [run["state_type"] for run in json.loads(body) if run["flow_id"]]
    assert [run.returncode for run in runs] == [0] * RUNS, "\n".join(told)
    assert "locked" not in "".join(told)
    assert status == 200
    assert states.count("COMPLETED") == RUNS

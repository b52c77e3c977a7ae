"""infra/prefect.yaml on a real server: deployed, fetched by a process worker, run; as compose.yaml has it."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from flows.deployments import OFFERS, POOL

INFRA = Path(__file__).parents[2] / "infra"
SERVICES = yaml.safe_load((INFRA / "compose.yaml").read_text())["services"]


@contextmanager
def within(environment, folder, *command):
    """A program as the image's entry point starts it, ended with everything that it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.within", *command], env=environment, cwd=folder, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.slow
def test_the_containers_commands_deploy_and_run(tmp_path, operations):
    port = operations.free_port()
    api = f"http://127.0.0.1:{port}/api"
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    home = tmp_path / "home"
    home.mkdir()
    server = clean | {"POINTSMAN_HOME": str(home)}
    client = server | {"PREFECT_API_URL": api}
    # compose.yaml's own words, but for the addresses that only exist inside its network
    start = SERVICES["prefect"]["command"]
    start = [*start[: start.index("--host")], "--host", "127.0.0.1", "--port", str(port)]
    deploy = SERVICES["deploy"]["command"]
    deploy = [*deploy[:-1], deploy[-1].replace("/opt/pointsman/prefect.yaml", str(INFRA / "prefect.yaml"))]
    with ExitStack() as running:
        running.enter_context(within(server, tmp_path, *start))
        operations.until(lambda: operations.answers(f"{api}/health")[0] == 200)
        subprocess.run(
            [sys.executable, "-m", "flows.within", *deploy], env=client, cwd=tmp_path, check=True, timeout=400
        )
        found = operations.deployments(api)
        assert set(found) == {offer.name for offer in OFFERS}
        for offer in OFFERS:
            made = found[offer.name]
            assert (made["entrypoint"], made["work_pool_name"]) == (offer.flow, POOL)
            assert (made["description"], made["tags"]) == (offer.description, offer.tags)
            assert (made["concurrency_options"] is not None) == offer.writes
            assert not any(schedule["active"] for schedule in made["schedules"])
        running.enter_context(within(client, tmp_path, *SERVICES["worker"]["command"]))
        _, state = operations.finish(api, found["earlier"], {"parameters": {}})
        # nothing reigns in a fresh home: the flow ran there, and says so
        assert state["type"] == "FAILED"
        assert f"{home}/data/published: no router reigned before" in state["message"]

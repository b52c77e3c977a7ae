"""infra/prefect.yaml on a real server: deployed, fetched by a process worker, run; as compose.yaml has it."""

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from flows.platform.deployments import POOL
from flows.platform.offers import OFFERS

INFRA = Path(__file__).parents[3] / "infra"
SERVICES = yaml.safe_load((INFRA / "compose.yaml").read_text())["services"]


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
    with ExitStack() as running:
        running.enter_context(operations.started(server, tmp_path, "flows.platform.within", *start))
        operations.until(lambda: operations.answers(f"{api}/health")[0] == 200)

        def run(*command):
            subprocess.run(
                [sys.executable, "-m", "flows.platform.within", *command],
                env=client,
                cwd=tmp_path,
                check=True,
                timeout=900,
            )

        run(*SERVICES["deploy"]["command"])
        found = operations.deployments(api)
        assert set(found) == {offer.name for offer in OFFERS}
        for offer in OFFERS:
            made = found[offer.name]
            assert (made["entrypoint"], made["work_pool_name"]) == (offer.flow, POOL)
            assert (made["description"], made["tags"]) == (offer.description, offer.tags)
            assert (made["concurrency_options"] is not None) == offer.writes
            assert not any(schedule["active"] for schedule in made["schedules"])
        # what somebody switched on stays on when a new version is deployed
        (weekly,) = found["from-your-logs"]["schedules"]
        address = f"{api}/deployments/{found['from-your-logs']['id']}/schedules/{weekly['id']}"
        assert operations.answers(address, {"active": True}, "PATCH")[0] == 204
        run(*SERVICES["deploy"]["command"])
        assert [s["active"] for s in operations.deployments(api)["from-your-logs"]["schedules"]] == [True]
        # Prefect's own command and the file give the same, with schedules as the file has them
        run("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(INFRA / "prefect.yaml"))
        again = operations.deployments(api)
        for name, made in again.items():
            same = {"entrypoint", "work_pool_name", "description", "tags", "parameter_openapi_schema", "id"}
            assert {key: made[key] for key in same} == {key: found[name][key] for key in same}
        assert again["of-recent-prompts"]["parameters"] == {"parameters": {"recent": f"{home}/data/recent"}}
        running.enter_context(
            operations.started(client, tmp_path, "flows.platform.within", *SERVICES["worker"]["command"])
        )
        _, state = operations.finish(api, found["to-an-earlier-router"], {"parameters": {}})
        # nothing is in service in a fresh home: the flow ran there, and says so
        assert state["type"] == "FAILED"
        assert f"{home}/data/published: no router was in service before" in state["message"]

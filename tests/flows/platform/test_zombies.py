"""A power cut for worker and flow, while the server stays: the run is found by its silence and goes on by itself."""

import json
import os
import signal
import time

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.testing.utilities import prefect_test_harness

from flows.platform.deployments import watch_for_zombies
from flows.platform.offers import OFFERS, load
from flows.platform.zombies import MARK, RESUME, automations

pytestmark = pytest.mark.filterwarnings("ignore")


def as_the_server_reads_it(trigger):
    return EventTrigger.model_validate(trigger.model_dump(mode="json"))


def event(name, flow="retrain", tags=("pointsman", "writes")):
    related = [{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags]
    flow = {
        "prefect.resource.id": "prefect.flow.1",
        "prefect.resource.role": "flow",
        "prefect.resource.name": flow,
    }
    return ReceivedEvent(
        id="0198c2a0-0000-7000-8000-000000000000",
        occurred="2026-01-01T00:00:00Z",
        event=f"prefect.flow-run.{name}",
        resource={"prefect.resource.id": "prefect.flow-run.2"},
        related=[*related, flow],
    )


def test_each_of_our_flows_is_watched_by_one_automation_and_nothing_else_is():
    resume, mark = automations(["retrain", "drift"], ["rollback"])
    watching = {automation.name: as_the_server_reads_it(automation.trigger) for automation in (resume, mark)}

    def watched(**given):
        return {name for name, trigger in watching.items() if trigger.covers(event("heartbeat", **given))}

    assert watched(flow="retrain") == watched(flow="drift") == {RESUME}
    assert watched(flow="rollback") == {MARK}
    assert watched(flow="somebody else's") == set()
    # started from the command line, without a deployment
    assert watched(flow="retrain", tags=()) == set()


@pytest.mark.parametrize("told", ["Completed", "Failed", "Crashed", "Cancelled", "AwaitingRetry", "heartbeat"])
def test_what_stands_for_life_or_an_end(told):
    trigger = as_the_server_reads_it(automations(["retrain"], [])[0].trigger)
    assert trigger.starts_after("prefect.flow-run.heartbeat")
    assert trigger.expects(f"prefect.flow-run.{told}")
    # the server tells Running about when the first heartbeat comes: it must not stand for a second one
    assert not trigger.expects("prefect.flow-run.Running")


@pytest.mark.slow
def test_installed_again_it_is_still_one_and_off_stays_off(monkeypatch):
    with prefect_test_harness(server_startup_timeout=240), get_client(sync_client=True) as client:
        watch_for_zombies()
        (resume,), (mark,) = (client.read_automations_by_name(name) for name in (RESUME, MARK))
        client.pause_automation(resume.id)
        # an update makes the server forget which runs it waits to hear from
        monkeypatch.setattr(SyncPrefectClient, "update_automation", lambda *_: pytest.fail("updated for nothing"))
        watch_for_zombies()
        monkeypatch.undo()
        (again,), (other,) = (client.read_automations_by_name(name) for name in (RESUME, MARK))
        assert (again.id, again.enabled) == (resume.id, False)
        assert (other.id, other.enabled) == (mark.id, True)
        named = [a.trigger.model_dump(mode="json")["match_related"][1]["prefect.resource.name"] for a in (again, other)]
        assert [set(n if isinstance(n, list) else [n]) for n in named] == [
            {load(offer).name for offer in OFFERS if offer.resumes},
            {"rollback"},
        ]


@pytest.mark.slow
def test_a_run_whose_worker_and_process_were_killed_goes_on_without_a_person(tmp_path, operations):
    port, home = operations.free_port(), (tmp_path / "home").resolve()
    api = f"http://127.0.0.1:{port}/api"
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    # a home of its own tells the server from what is killed
    server = clean | {"POINTSMAN_HOME": str(tmp_path / "server")}
    worker = clean | {"POINTSMAN_HOME": str(home), "PREFECT_API_URL": api}
    home.mkdir()

    def said(name, run_id):
        wish = {"filter": {"event": {"name": [name]}, "resource": {"id": [f"prefect.flow-run.{run_id}"]}}}
        return json.loads(operations.answers(f"{api}/events/filter", wish)[1])["events"]

    def stations():
        kept = {folder for folder in (home / "data" / "stages").glob("*/[!.]*") if folder.parent.name != "results"}
        return {folder: folder.stat().st_mtime_ns for folder in kept if folder.is_dir()}

    start = f"prefect server start --host 127.0.0.1 --port {port}".split()
    with operations.started(server, tmp_path, "flows.platform.within", *start, quiet=True):
        operations.until(lambda: operations.answers(f"{api}/health")[0] == 200)
        with operations.started(worker, tmp_path, "flows.platform.deployments", quiet=True) as first:
            found = operations.until(lambda: (d := operations.deployments(api)) and len(d) == len(OFFERS) and d)
            create = f"{api}/deployments/{found['from-your-logs']['id']}/create_flow_run"
            wish = {"parameters": {"parameters": {"preset": "smoke"}}, "state": {"type": "SCHEDULED"}}

            def clicked():
                # 503 while the worker's start holds SQLite
                status, body = operations.answers(create, wish)
                return status == 201 and body

            run_id = json.loads(operations.until(clicked, 60))["id"]

            def run():
                return json.loads(operations.answers(f"{api}/flow_runs/{run_id}")[1])

            operations.until(lambda: said("prefect.flow-run.heartbeat", run_id) and len(stations()) >= 2)
            # until the first is dead, it could report what happens to the second
            first.kill()
            first.wait()
            for pid, _ in operations.living_in(home):
                os.kill(int(pid), signal.SIGKILL)
            killed, done = time.monotonic(), stations()
            operations.until(lambda: not operations.living_in(home), 10)
            assert run()["state"]["type"] == "RUNNING"
        with operations.started(worker, tmp_path, "flows.platform.deployments", quiet=True):
            operations.until(lambda: run()["state"]["type"] != "RUNNING")
            print(f"marked {run()['state']['name']} after {time.monotonic() - killed:.0f} s", flush=True)
            operations.until(lambda: run()["state"]["type"] == "COMPLETED", 500)
            print(f"completed after {time.monotonic() - killed:.0f} s", flush=True)
            assert run()["run_count"] == 2
            assert {folder: stations()[folder] for folder in done} == done
            # so that nobody resumes a run that completed: the trigger sees the end as the server tells it
            trigger = as_the_server_reads_it(automations(["retrain"], ["rollback"])[0].trigger)
            for name in ("heartbeat", "AwaitingRetry", "Completed"):
                told = operations.until(lambda name=name: said(f"prefect.flow-run.{name}", run_id))
                assert all(trigger.covers(ReceivedEvent.model_validate(each)) for each in told), name

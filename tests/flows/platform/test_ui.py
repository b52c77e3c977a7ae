"""`make ui` as a person meets it: servers that answer, come back, and are gone after Ctrl-C."""

import json
import os
import signal
import socket

import pytest

from flows.platform import ui
from flows.platform.offers import OFFERS
from pointsman.cli import main


@pytest.fixture
def keep_signals():
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    yield
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.mark.parametrize("busy", ["--prefect-port", "--mlflow-port"])
def test_a_port_in_use_is_named_with_the_option_that_changes_it(busy, capsys, operations):
    other = "--mlflow-port" if busy == "--prefect-port" else "--prefect-port"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["ui", busy, str(port), other, str(operations.free_port())]) == 2
    assert f"port {port} on 127.0.0.1 is in use; choose another with {busy}" in capsys.readouterr().err


def test_ports_come_from_settings_and_must_differ(monkeypatch, capsys, operations):
    port = str(operations.free_port())
    monkeypatch.setenv("POINTSMAN_PREFECT_PORT", port)
    monkeypatch.setenv("POINTSMAN_MLFLOW_PORT", port)
    assert main(["ui"]) == 2
    assert f"can't share port {port}" in capsys.readouterr().err
    monkeypatch.setenv("POINTSMAN_MLFLOW_PORT", "eighty")
    assert main(["ui"]) == 2
    assert "POINTSMAN_MLFLOW_PORT must be a port, 1 to 65535, got 'eighty'" in capsys.readouterr().err


@pytest.fixture
def web(tmp_path, keep_signals, operations):
    port = operations.free_port()
    service = ui.Service(
        name="the test server",
        command=["http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)],
        environment=os.environ,
        health=f"http://127.0.0.1:{port}/",
    )
    service.start()
    yield service
    service.signal(signal.SIGKILL)
    service.process.wait()


def test_a_service_that_ends_is_started_again_but_not_for_ever(web, capfd, operations):
    for _ in range(2):
        ui._wait(web)
        first = web.process.pid
        web.signal(signal.SIGKILL)
        operations.until(lambda: web.ended)
        web.stands_up_again()
        assert web.process.pid != first
    ui._wait(web)
    web.signal(signal.SIGKILL)
    operations.until(lambda: web.ended)
    with pytest.raises(RuntimeError, match=r"the test server ended 3 times within 120 s"):
        web.stands_up_again()
    assert "the test server ended; starting it again" in capfd.readouterr().err


def test_a_service_that_never_answers_is_named(web, operations):
    web.signal(signal.SIGKILL)
    operations.until(lambda: web.ended)
    with pytest.raises(RuntimeError, match="the test server ended before it answered"):
        ui._wait(web)


def test_stopping_ends_grandchildren_that_ignore_sigterm(tmp_path, keep_signals, operations):
    note = tmp_path / "pid"
    (tmp_path / "stubborn.py").write_text(
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"if len(sys.argv) == 1: subprocess.Popen([sys.executable, '-m', 'stubborn', 'child'])\n"
        f"else: open({str(note)!r}, 'w').write(str(os.getpid()) + ' ')\n"
        "if len(sys.argv) == 1: signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "time.sleep(60)\n"
    )
    service = ui.Service(name="stubborn", command=["stubborn"], environment=os.environ | {"PYTHONPATH": str(tmp_path)})
    service.start()
    child = int(operations.until(lambda: note.exists() and note.read_text().endswith(" ") and note.read_text()))
    ui._stop([service])
    assert service.ended
    operations.until(lambda: not operations.alive(child), 5)


@pytest.mark.slow
def test_start_click_crash_stop_and_start_again(tmp_path, operations):
    home, ports = tmp_path.resolve(), (operations.free_port(), operations.free_port())
    with operations.dashboards(home, *ports) as (api, mlflow):
        found = operations.until(lambda: (d := operations.deployments(api)) and len(d) == len(OFFERS) and d)
        rollback = found["to-an-earlier-router"]
        assert rollback["global_concurrency_limit"]["limit"] == 1
        assert rollback["concurrency_options"]["collision_strategy"] == "ENQUEUE"
        assert [s["active"] for s in found["from-your-logs"]["schedules"]] == [False]
        status, body = operations.answers(
            f"{api}/deployments/{rollback['id']}/create_flow_run", {"parameters": {"parameters": {"to": "no such id"}}}
        )
        assert status in {409, 422}
        assert b"does not match" in body
        (schedule,) = found["from-your-logs"]["schedules"]
        address = f"{api}/deployments/{found['from-your-logs']['id']}/schedules/{schedule['id']}"
        assert operations.answers(address, {"active": True}, "PATCH")[0] == 204
        mine = {"parameters": found["from-your-logs"]["parameters"]["parameters"] | {"data": "/my/logs", "seed": 7}}
        at = f"{api}/deployments/{found['from-your-logs']['id']}"
        assert operations.answers(at, {"parameters": mine}, "PATCH")[0] == 204
        changed = operations.deployments(api)["from-your-logs"]["updated"]
        # nothing is in service yet, so that the run fails, for the reason that it gives
        flow_run, state = operations.finish(api, rollback, {"parameters": {"to": None}})
        assert state["type"] == "FAILED"
        assert "no router was in service before" in state["message"]
        for pid, command in operations.living_in(home):
            if b"mlflow server" in command:
                os.kill(int(pid), signal.SIGKILL)
        operations.until(lambda: operations.answers(f"{mlflow}/health")[0] == 200)
    with operations.dashboards(home, *ports) as (api, _):
        assert json.loads(operations.answers(flow_run)[1])["state"]["type"] == "FAILED"
        # once the worker has offered them anew, which shows in the time that each was changed
        again = operations.until(
            lambda: (d := operations.deployments(api))["from-your-logs"]["updated"] > changed and d
        )
        assert len(again) == len(OFFERS)
        assert [s["active"] for s in again["from-your-logs"]["schedules"]] == [True]
        assert again["from-your-logs"]["parameters"] == mine


@pytest.mark.slow
def test_attack_1_who_reaches_a_dashboard_without_its_password_gets_nothing(tmp_path, operations):
    home, ports = tmp_path.resolve(), (operations.free_port(), operations.free_port())
    with operations.dashboards(home, *ports) as (api, mlflow):
        asked = {f"{api}/deployments/filter": {}, f"{mlflow}/api/2.0/mlflow/experiments/search": {"max_results": 9}}
        for url, body in asked.items():
            assert operations.answers(url, body)[0] == 200
            assert operations.answers(url, body, headers={})[0] == 401
            known = {"authorization": operations.authorization(url)}
            assert operations.answers(url, body, headers=known)[0] == 200
            for foreign in ({"host": "evil.example"}, {"origin": "http://evil.example"}):
                status, told = operations.answers(url, body, headers=known | foreign)
                assert (status, len(told) < 100) == (403, True)
                assert (
                    operations.answers(f"http://127.0.0.1:{url.split(':')[2].split('/')[0]}/", None, None, foreign)[0]
                    == 403
                )
        password = (home / "data/secrets/dashboards").read_text().strip().encode()
        for _, command in operations.living_in(home):
            assert password not in command

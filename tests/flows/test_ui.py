"""`make ui` as a person meets it: servers that answer, come back, and are gone after Ctrl-C."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows import ui
from flows.cli import main
from flows.deployments import OFFERS


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
    return result


def answers(url, body=None):
    request = urllib.request.Request(
        url, None if body is None else json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None, b""


@pytest.fixture
def keep_signals():
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    yield
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.mark.parametrize("busy", ["--prefect-port", "--mlflow-port"])
def test_a_port_in_use_is_named_with_the_option_that_changes_it(busy, capsys):
    other = "--mlflow-port" if busy == "--prefect-port" else "--prefect-port"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["ui", busy, str(port), other, str(free_port())]) == 2
    assert f"port {port} on 127.0.0.1 is in use; choose another with {busy}" in capsys.readouterr().err


def test_ports_come_from_settings_and_must_differ(monkeypatch, capsys):
    port = str(free_port())
    monkeypatch.setenv("POINTSMAN_PREFECT_PORT", port)
    monkeypatch.setenv("POINTSMAN_MLFLOW_PORT", port)
    assert main(["ui"]) == 2
    assert f"can't share port {port}" in capsys.readouterr().err
    monkeypatch.setenv("POINTSMAN_MLFLOW_PORT", "eighty")
    assert main(["ui"]) == 2
    assert "POINTSMAN_MLFLOW_PORT must be a port, 1 to 65535, got 'eighty'" in capsys.readouterr().err


@pytest.fixture
def web(tmp_path, keep_signals):
    port = free_port()
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


def test_a_service_that_ends_is_started_again_but_not_for_ever(web, capfd):
    for _ in range(2):
        ui._wait(web)
        first = web.process.pid
        web.signal(signal.SIGKILL)
        until(lambda: web.ended)
        web.stands_up_again()
        assert web.process.pid != first
    ui._wait(web)
    web.signal(signal.SIGKILL)
    until(lambda: web.ended)
    with pytest.raises(RuntimeError, match=r"the test server ended 3 times within 120 s"):
        web.stands_up_again()
    assert "the test server ended; starting it again" in capfd.readouterr().err


def test_a_service_that_never_answers_is_named(web):
    web.signal(signal.SIGKILL)
    until(lambda: web.ended)
    with pytest.raises(RuntimeError, match="the test server ended before it answered"):
        ui._wait(web)


def test_stopping_ends_grandchildren_that_ignore_sigterm(tmp_path, keep_signals):
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
    child = int(until(lambda: note.exists() and note.read_text().endswith(" ") and note.read_text()))
    ui._stop([service])
    assert service.ended
    until(lambda: not alive(child), 5)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def living_in(home):
    """Processes whose environment names the installation."""
    needle, found = f"POINTSMAN_HOME={home}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if needle in (folder / "environ").read_bytes().split(b"\0") and alive(folder.name):
                found.append((folder.name, (folder / "cmdline").read_bytes().replace(b"\0", b" ")[:200]))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@contextmanager
def dashboards(home, prefect_port, mlflow_port, extra=None):
    """A running `pointsman ui`; on leaving, Ctrl-C and proof that nothing of it is left."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from flows.cli import main; raise SystemExit(main())", "ui", "--home", str(home)),
            *("--prefect-port", str(prefect_port), "--mlflow-port", str(mlflow_port)),
        ],
        env=clean | (extra or {}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = []
        while not (lines and lines[-1].startswith("Ctrl-C")):
            lines.append(process.stdout.readline())
            assert lines[-1], f"ended early: {lines}"
        assert f"http://127.0.0.1:{prefect_port}\n" in lines[0]
        assert f"http://127.0.0.1:{mlflow_port}\n" in lines[1]
        assert f"http://127.0.0.1:{prefect_port}/deployments\n" in lines[2]
        yield f"http://127.0.0.1:{prefect_port}/api", f"http://127.0.0.1:{mlflow_port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
        process.stdout.close()
    until(lambda: not living_in(home), 5)
    for port in (prefect_port, mlflow_port):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def deployments(api):
    status, body = answers(f"{api}/deployments/filter", {})
    return {d["name"]: d for d in json.loads(body)} if status == 200 else {}


@pytest.mark.slow
def test_start_click_crash_stop_and_start_again(tmp_path):
    home, ports = tmp_path.resolve(), (free_port(), free_port())
    with dashboards(home, *ports) as (api, mlflow):
        found = until(lambda: (d := deployments(api)) and len(d) == len(OFFERS) and d)
        rollback = found["earlier"]
        assert rollback["global_concurrency_limit"]["limit"] == 1
        assert rollback["concurrency_options"]["collision_strategy"] == "ENQUEUE"
        assert [s["active"] for s in found["weekly"]["schedules"]] == [False]
        run = f"{api}/deployments/{rollback['id']}/create_flow_run"
        status, body = answers(run, {"parameters": {"parameters": {"to": "no such id"}}})
        assert status in {409, 422}
        assert b"does not match" in body
        # nothing reigns yet, so that the run fails, for the reason that it gives
        status, body = answers(run, {"parameters": {"parameters": {"to": None}}, "state": {"type": "SCHEDULED"}})
        assert status == 201
        flow_run = json.loads(body)["id"]

        def state():
            return json.loads(answers(f"{api}/flow_runs/{flow_run}")[1])["state"]

        until(lambda: state()["type"] in {"FAILED", "CRASHED", "COMPLETED"}, 180)
        assert state()["type"] == "FAILED"
        assert "no router reigned before" in state()["message"]
        for pid, command in living_in(home):
            if b"mlflow server" in command:
                os.kill(int(pid), signal.SIGKILL)
        until(lambda: answers(f"{mlflow}/health")[0] == 200, 90)
    with dashboards(home, *ports) as (api, _):
        assert json.loads(answers(f"{api}/flow_runs/{flow_run}")[1])["state"]["type"] == "FAILED"
        assert len(until(lambda: deployments(api))) == len(OFFERS)

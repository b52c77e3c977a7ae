"""Dashboards as a person starts them, for every test that needs real servers."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from prefect.testing.utilities import prefect_test_harness


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(holds, seconds=240.0):
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)
    return result


PASSWORDS = {}
"""Of the dashboards that run, by port."""


def authorization(url):
    """The header that opens a dashboard."""
    return "Basic " + base64.b64encode(f"pointsman:{PASSWORDS[urlsplit(url).port]}".encode()).decode()


def answers(url, body=None, method=None, headers=None):
    """What a server says to somebody who knows its password; with `headers`, to somebody who doesn't."""
    given = {"content-type": "application/json"} | (headers or {})
    if headers is None and urlsplit(url).port in PASSWORDS:
        given["authorization"] = authorization(url)
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), given, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None, b""


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
def started(environment, folder, *command, quiet=False):
    """`python -m COMMAND` in a session of its own, ended with everything that it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL if quiet else None,
    )
    try:
        yield process
    finally:
        # a test may have killed it
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def dashboards(home, prefect_port, mlflow_port, extra=None):
    """A running `pointsman ui`; on leaving, Ctrl-C and proof that nothing of it is left."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        try:
            with _dashboards(home, prefect_port, mlflow_port, extra, errors) as addresses:
                yield addresses
        finally:
            errors.seek(0)
            said = errors.read()
            print(said, file=sys.stderr)
    # lines of libraries that nobody can act on
    assert " INFO mlflow" not in said
    assert "Created temporary directory" not in said


@contextmanager
def _dashboards(home, prefect_port, mlflow_port, extra, errors):
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    process = subprocess.Popen(
        [
            *(
                sys.executable,
                "-c",
                "import pointsman.__main__",
                "ui",
                "--home",
                str(home),
            ),
            *("--prefect-port", str(prefect_port), "--mlflow-port", str(mlflow_port)),
        ],
        env=clean | (extra or {}),
        stdout=subprocess.PIPE,
        stderr=errors,
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
        assert f"http://127.0.0.1:{prefect_port}/runs\n" in lines[3]
        PASSWORDS.update(
            dict.fromkeys((prefect_port, mlflow_port), (home / "data/secrets/dashboards").read_text().strip())
        )
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
    """The server's deployments by name."""
    status, body = answers(f"{api}/deployments/filter", {})
    return {d["name"]: d for d in json.loads(body)} if status == 200 else {}


def finish(api, deployment, parameters, seconds=400.0):
    """Runs a deployment as a click would; its last state."""
    status, body = answers(
        f"{api}/deployments/{deployment['id']}/create_flow_run",
        {"parameters": parameters, "state": {"type": "SCHEDULED"}},
    )
    assert status == 201, body
    flow_run = f"{api}/flow_runs/{json.loads(body)['id']}"

    def ended():
        state = json.loads(answers(flow_run)[1])["state"]
        return state["type"] in {"FAILED", "CRASHED", "COMPLETED", "CANCELLED"} and state

    return flow_run, until(ended, seconds)


@pytest.fixture(scope="session")
def operations():
    """What tests of running servers share."""
    return SimpleNamespace(
        free_port=free_port,
        until=until,
        answers=answers,
        authorization=authorization,
        alive=alive,
        living_in=living_in,
        started=started,
        dashboards=dashboards,
        deployments=deployments,
        finish=finish,
    )


@pytest.fixture(scope="session")
def server():
    """A Prefect server of this session's own, for all tests that run flows: it takes longer to start than most take."""
    with prefect_test_harness(server_startup_timeout=240):
        yield

"""Whatever a command starts ends with it, however the command ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.sources.planted.world import PlantedConfig, write_world

pytestmark = pytest.mark.filterwarnings("ignore")
COMMAND = """
import time
from flows.platform.settings import prepare_environment
prepare_environment()
from prefect import flow
from prefect.server.api.server import SubprocessASGIServer

@flow
def busy():
    (server,) = SubprocessASGIServer._instances.values()
    print(server.server_process.pid, flush=True)
    time.sleep(600)

busy()
"""
SLEEPER = """
import subprocess, sys, time
import flows
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, "-m", "sleeper", "child"])
else:
    print("both are up", file=sys.stderr, flush=True)
time.sleep(600)
"""
STARTS = {
    "a dashboard": "Service(name='sleeper', command=['sleeper'], environment=os.environ).start()",
    "a command in another home": "subprocess.Popen(COMMAND, env=environment_of(paths.home()))",
}
IMPORTS = """
import os, subprocess, sys, time
from flows.platform import paths
from flows.platform.settings import environment_of
from flows.platform.ui import Service
COMMAND = [sys.executable, "-m", "sleeper"]
"""


def environment(home, *folders):
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    found = os.pathsep.join(filter(None, [*map(str, folders), str(Path.cwd()), *sys.path]))
    return clean | {"POINTSMAN_HOME": str(home), "PYTHONPATH": found}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_what_was_started_ends_when_its_starter_is_killed_and_so_does_what_it_started(start, tmp_path, operations):
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    script = f"{IMPORTS}\n{start}\ntime.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment(tmp_path, tmp_path), stderr=subprocess.PIPE, text=True
    ) as starter:
        assert "both are up\n" in iter(starter.stderr.readline, "")
        assert len(operations.living_in(tmp_path)) == 3
        starter.send_signal(signal.SIGKILL)
        operations.until(lambda: not operations.living_in(tmp_path), 60)


@pytest.mark.slow
def test_a_commands_server_ends_when_the_command_is_killed(tmp_path, operations):
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND], env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as command:
        server = int(command.stdout.readline())
        assert operations.alive(server)
        command.send_signal(signal.SIGKILL)
        operations.until(lambda: not operations.alive(server), 60)
    assert operations.living_in(tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("station", ["[1/9] ingest", "[6/9] train"])
def test_ctrl_c_ends_a_run_and_all_its_processes_in_one_line(station, tmp_path, operations):
    write_world(tmp_path / "logs", PlantedConfig(prompts=700, seed=0))
    arguments = ("retrain", "--preset", "smoke", "--encoder", "static", "--data", str(tmp_path / "logs"))
    with subprocess.Popen(
        [sys.executable, "-m", "pointsman", *arguments],
        env=environment(tmp_path) | {"POINTSMAN_WORKERS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as command:
        while station not in (line := command.stdout.readline()):
            assert line, "it ended early"
        time.sleep(3)
        # as the terminal does: to everybody in the command's group
        os.killpg(command.pid, signal.SIGINT)
        rest = command.stdout.read()
        assert command.wait(60) == 130
        operations.until(lambda: not operations.living_in(tmp_path), 60)
    assert "Traceback" not in rest
    assert rest.splitlines()[-1] == "pointsman: stopped"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last_line", "sign"),
    [
        ("starting Prefect", signal.SIGKILL),
        ("starting Prefect", signal.SIGTERM),
        ("Ctrl-C stops everything", signal.SIGKILL),
        ("Ctrl-C stops everything", signal.SIGHUP),
    ],
)
def test_nothing_is_left_of_dashboards_that_are_killed(last_line, sign, tmp_path, operations):
    ports = ("--prefect-port", str(operations.free_port()), "--mlflow-port", str(operations.free_port()))
    with subprocess.Popen(
        [sys.executable, "-m", "pointsman", "ui", *ports],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as dashboards:
        while not (line := dashboards.stdout.readline()).startswith(last_line):
            assert line, "it ended early"
        # servers and worker, as many as there are by now
        operations.until(lambda: len(operations.living_in(tmp_path)) > 1)
        dashboards.send_signal(sign)
        operations.until(lambda: not operations.living_in(tmp_path), 60)

"""Processes beside a run's own: what is kept starts none, and none outlives the run."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.sources.planted.world import PlantedConfig, write_world
from flows.platform import fan_out
from flows.platform.caching import cached_task, is_kept
from flows.platform.fan_out import begin, finish
from flows.platform.processes import LocalProcesses
from flows.platform.settings import settings

pytestmark = pytest.mark.filterwarnings("ignore")


@cached_task()
def double(*, number: int) -> int:
    """A task whose result is kept."""
    return 2 * number


def test_a_processor_more_is_a_process_more_up_to_four(monkeypatch):
    monkeypatch.delenv("POINTSMAN_WORKERS")
    for cores, workers in ((1, 0), (2, 2), (4, 4), (16, 4)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert settings().workers == workers
    monkeypatch.setenv("POINTSMAN_WORKERS", "0")
    assert settings().workers == 0
    monkeypatch.setenv("POINTSMAN_WORKERS", "-1")
    with pytest.raises(ValueError, match="POINTSMAN_WORKERS must be a number of processes"):
        _ = settings().workers


@pytest.mark.slow
def test_what_is_kept_runs_here_and_the_rest_elsewhere(server, home, monkeypatch):
    from prefect import flow

    # Prefect keeps results where this session began, whatever home another test left behind
    monkeypatch.setenv("POINTSMAN_HOME", str(home))

    @flow
    def run(number):
        return double(number=number)

    assert not is_kept(double, {"number": 3})
    assert run(3) == 6
    assert is_kept(double, {"number": 3})
    assert not is_kept(double, {"number": 4})

    submitted = []

    class Future:
        def __init__(self, number):
            submitted.append(number)
            self.number = number

        def result(self):
            return 2 * self.number

    monkeypatch.setenv("POINTSMAN_WORKERS", "2")
    monkeypatch.setattr(type(double), "submit", lambda task, number: Future(number))
    turns = []
    pending = begin(double, {"three": {"number": 3}, "four": {"number": 4}})
    assert submitted == [4]
    monkeypatch.setattr(fan_out._Here, "result", lambda call: ("here", call.arguments["number"]))
    assert finish(pending, turns.append) == {"three": ("here", 3), "four": 8}
    assert turns == ["three", "four"]


PARENT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from flows.platform.processes import end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), end_with_parent)
    print(pool.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


def test_a_run_that_is_stopped_ends_the_processes_that_still_compute():
    runner = LocalProcesses(max_workers=1)
    with suppress(KeyboardInterrupt), runner:
        pool = runner._executor
        assert pool.submit(abs, -1).result() == 1
        (process,) = pool._processes.values()
        runner._submitted.append(SimpleNamespace(wrapped_future=pool.submit(time.sleep, 600)))
        raise KeyboardInterrupt
    process.join(20)
    assert not process.is_alive()


def test_every_process_loads_ahead_and_a_run_that_ends_early_doesnt_wait_for_it(tmp_path, monkeypatch, operations):
    (tmp_path / "loads_for_long.py").write_text("import time; time.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *filter(None, sys.path)]))
    runner = LocalProcesses(max_workers=2)
    # before the run nothing is there to load anything
    runner.start_ahead("colorsys")
    with runner:
        runner.start_ahead("colorsys")
        assert [loading.result(60) for loading in runner._loading] == [None, None]
        processes = list(runner._executor._processes.values())
        assert len(processes) == 2
        # the run's own process goes first
        last = min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)
        operations.until(lambda: {os.getpriority(os.PRIO_PROCESS, process.pid) for process in processes} == {last}, 60)
        runner.start_ahead("loads_for_long")
    for process in processes:
        process.join(20)
        assert not process.is_alive()


@pytest.mark.slow
def test_a_process_ends_with_the_run_that_is_killed(tmp_path, operations):
    (tmp_path / "parent.py").write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))}
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")], env=environment, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        assert operations.alive(child)
        parent.send_signal(signal.SIGKILL)
        operations.until(lambda: not operations.alive(child), 20)


@pytest.mark.slow
def test_a_retrain_leaves_the_same_bits_and_no_process(tmp_path, operations):
    """Each output's name is its content's digest, so that equal names are equal bits."""
    write_world(tmp_path / "logs", PlantedConfig(prompts=400, seed=1))
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN", "NUMBA"))}
    clean["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))
    kept = {}
    for workers in (0, 2):
        home = tmp_path / str(workers)
        environment = {**clean, "POINTSMAN_HOME": str(home), "POINTSMAN_WORKERS": str(workers)}
        command = [sys.executable, "-m", "pointsman", "retrain", "--preset", "smoke", "--encoder", "int8"]
        command += ["--data", str(tmp_path / "logs")]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500, check=False)
        assert ended.returncode in (0, 1), ended.stderr[-4000:]
        assert "Traceback" not in ended.stderr
        stages = home / "data" / "stages"
        timed = {"validate", "time_routing", "evaluate", "results"}
        kept[workers] = {p.relative_to(stages) for p in stages.glob("*/[!.]*") if p.parent.name not in timed}
        kept[workers] |= {p.relative_to(home) for p in home.glob("data/bundles/[!.]*")}
        operations.until(lambda home=home: not operations.living_in(home), 20)
    assert kept[0] == kept[2]

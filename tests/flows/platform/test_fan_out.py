"""The same fan-out in this process and on a Dask cluster of two worker processes, one of which is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from distributed import LocalCluster
from prefect import flow
from prefect.testing.utilities import prefect_test_harness

from components.sources.planted.world import PlantedConfig, write_world
from components.tables.store import read_tables, write_parquet
from flows.platform import paths
from flows.platform.fan_out import UnfitWorker, Unreachable, fan_out, require_fit, task_runner
from flows.platform.references import keep
from flows.stations.board import lay_out_board
from flows.stations.train import baseline

pytestmark = pytest.mark.filterwarnings("ignore")
METHODS = ("knn10", "linear", "knn100", "kmeans60", "mlp", "hierarchical")
SEED = 3


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def laid_out(place):
    """Stage outputs of a small world with features that need no encoder."""
    tables = keep("ingest", lambda folder: write_world(folder, PlantedConfig(prompts=400)))
    ids, rng = read_tables(tables.path).prompts["prompt_id"], np.random.default_rng(0)
    splits = pl.DataFrame({"prompt_id": ids, "split": np.where(np.arange(len(ids)) % 4, "train", "test")})
    features_NF = rng.standard_normal((len(ids), 32), dtype=np.float32)
    return lay_out_board.fn(
        tables=tables,
        embedded=keep("embed", lambda folder: np.save(folder / "embedding.npy", features_NF)),
        splits=keep("divide", lambda folder: write_parquet(splits, folder / "splits.parquet")),
        features=keep(
            "featurise",
            lambda folder: np.savez(
                folder / "features.npz", features_NF=features_NF, input_tokens_N=np.ones(len(ids), np.float32)
            ),
        ),
        seed=0,
    )


@pytest.fixture
def cluster(place, operations):
    """A scheduler's address, and its two workers as a user starts them."""

    def start(*command):
        return subprocess.Popen(
            [sys.executable, "-m", "flows.platform.within", "dask", *command],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )

    scheduler = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    address = next(
        line.rsplit(" ", 1)[1].strip() for line in iter(scheduler.stderr.readline, "") if "Scheduler at:" in line
    )
    workers = [start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard") for _ in range(2)]
    running = [scheduler, *workers]
    drains = [threading.Thread(target=process.stderr.read, daemon=True) for process in running]
    for drain in drains:
        drain.start()
    yield address, workers, scheduler
    for process in running:
        process.kill()
        process.wait()
    # each worker without PREFECT_API_URL starts a small Prefect server, which survives a killed one
    for pid, _ in operations.living_in(place):
        os.kill(int(pid), signal.SIGKILL)


@pytest.mark.slow
def test_dask_gives_the_same_bits_though_a_worker_is_killed(place, laid_out, cluster, monkeypatch):
    calls = {method: {"laid_out": laid_out, "method": method, "seed": SEED, "most": 20_000} for method in METHODS}
    here = {method: baseline.fn(**arguments).digest for method, arguments in calls.items()}
    shelf = paths.stages() / "baseline"
    for folder in list(shelf.iterdir()):
        folder.rename(place / folder.name)

    address, workers, _ = cluster
    monkeypatch.setenv("POINTSMAN_DASK", address)
    deadline = time.monotonic() + 120
    while fit_workers(address) < 2:
        assert time.monotonic() < deadline

    monkeypatch.setenv("POINTSMAN_HOME", str(place / "elsewhere"))
    with pytest.raises(UnfitWorker, match=rf"keeps its files in {place}: start"):
        require_fit(address)
    monkeypatch.setenv("POINTSMAN_HOME", str(place))

    def kill_in_the_middle():
        while not list(shelf.glob("[!.]*")) and time.monotonic() < deadline + 300:
            time.sleep(0.01)
        finished.extend(shelf.glob("[!.]*"))
        workers[0].kill()

    @flow(task_runner=task_runner())
    def compare():
        return fan_out(baseline, calls)

    finished: list[Path] = []
    killer = threading.Thread(target=kill_in_the_middle)
    with prefect_test_harness(server_startup_timeout=180):
        killer.start()
        there = compare()
        killer.join()
    assert workers[0].wait() == -9
    assert workers[1].poll() is None
    assert 0 < len(finished) < len(METHODS)
    assert {method: kept.digest for method, kept in there.items()} == here
    assert list(there) == list(METHODS)


PROCESS = [sys.executable, "-c", "from pointsman.cli import main; raise SystemExit(main())"]
# what holds a time of its own
TIMED = {"validate", "time_routing", "evaluate"}
COMMANDS = {
    "retrain": (["--preset", "smoke"], "baseline"),
    "compare": (["--preset", "smoke", "--splits", "3", "--data", "logs"], "judge"),
    "extrapolate": (["--preset", "smoke", "--problem", "identity", "--problem", "subtract"], "measure"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_whole_run_leaves_the_same_on_dask_with_a_worker_killed(command, place, cluster, tmp_path_factory):
    """Each output's name is its content's digest, so that equal names are equal bits."""
    options, heavy = COMMANDS[command]
    logs, alone, (address, workers, _) = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("alone"), cluster
    write_world(logs / "logs", PlantedConfig(prompts=400, seed=1))

    def run(home, **more):
        return started([command, *options], home, logs, **more)

    def ended(process):
        told = process.communicate(timeout=900)[0].decode()
        assert process.returncode in (0, 1), told[-4000:]
        assert "Traceback" not in told, told[-4000:]

    there = run(place, POINTSMAN_DASK=address)
    ended_early = kill_one_in_the_middle(address, heavy, workers, there)
    ended(there)
    assert not ended_early
    assert sum(worker.poll() == -9 for worker in workers) == 1
    ended(run(alone))
    assert outputs(place) == outputs(alone)
    if command == "retrain":
        assert list(alone.glob("data/bundles/[!.]*"))


def started(command, home, logs, **more):
    """A command of ours in a process of its own, without the settings of this one."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN", "NUMBA"))}
    paths = {"PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), *sys.path]))}
    return subprocess.Popen(
        [*PROCESS, *command],
        env={**clean, **paths, "POINTSMAN_HOME": str(home), **more},
        cwd=logs,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def outputs(home):
    """What a run left but for what holds a time: each name is its content's digest."""
    stages = home / "data" / "stages"
    kept = {p.relative_to(stages) for p in stages.glob("*/[!.]*") if p.parent.name not in TIMED | {"results"}}
    return kept | {p.relative_to(home) for p in home.glob("data/bundles/[!.]*")}


@pytest.mark.slow
def test_a_run_whose_scheduler_dies_says_so_and_goes_on_with_the_next(place, cluster, tmp_path_factory):
    logs, alone, (address, _, scheduler) = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("alone"), cluster
    command = COMMANDS["retrain"][0]
    run = started(["retrain", *command], place, logs, POINTSMAN_DASK=address)
    baselines = place / "data" / "stages" / "baseline"
    while not list(baselines.glob("[!.]*")):
        assert run.poll() is None
        time.sleep(0.05)
    scheduler.kill()
    told = run.communicate(timeout=900)[0].decode()
    assert run.returncode == 2, told[-4000:]
    assert "Traceback" not in told, told[-4000:]
    assert told.splitlines()[-1].startswith(f"pointsman: no Dask scheduler answers at {address}: start it and"), told
    before = outputs(place)
    again = started(["retrain", *command], place, logs)
    assert again.communicate(timeout=900)[0] is not None
    assert again.returncode in (0, 1)
    assert started(["retrain", *command], alone, logs).wait(900) in (0, 1)
    assert before < outputs(place) == outputs(alone)


def kill_one_in_the_middle(address, heavy, workers, flow):
    """Kills a worker a moment after it began a task of this name; whether the flow ended before."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        while flow.poll() is None:
            busy = [worker for worker, keys in client.processing().items() if any(heavy in key for key in keys)]
            if len(busy) == len(workers):
                pid = client.run(os.getpid, workers=busy[:1])[busy[0]]
                time.sleep(1)
                next(worker for worker in workers if worker.pid == pid).kill()
                return False
            time.sleep(0.05)
    return True


def fit_workers(address):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return len(client.nthreads())


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(Unreachable, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:9: start it"):
        require_fit("tcp://127.0.0.1:9", wait_s=0.2)


def test_without_dask_each_call_runs_here_in_order(monkeypatch):
    monkeypatch.delenv("POINTSMAN_DASK", raising=False)
    seen = []

    def work(number):
        seen.append((number, os.getpid()))
        return number * 2

    assert task_runner() is None
    assert fan_out(work, {"b": {"number": 2}, "a": {"number": 1}}) == {"b": 4, "a": 2}
    assert seen == [(2, os.getpid()), (1, os.getpid())]


def test_workers_that_would_give_another_result_are_refused(place):
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None
    ) as local:
        with pytest.raises(UnfitWorker, match=r"has no worker: start one with POINTSMAN_HOME="):
            require_fit(local.scheduler_address)
        local.scale(1)
        local.wait_for_workers(1)
        with pytest.raises(UnfitWorker, match=r"runs \d+ tasks at once: start it with"):
            require_fit(local.scheduler_address)

"""The whole line with its heavy stations on one Dask worker and on two."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from tests.benchmarks.child import ROOT, measure, with_threads
from tests.benchmarks.table import Cell, Table
from tests.benchmarks.task_runs import bundle_of, task_runs, together

_LEAST_S = 1.0
"""Seconds of a station on one worker that are worth a row."""
Spans = Mapping[str, list[tuple[float, float]]]


def run(prompts: int = 10_000, *, seed: int = 0) -> Table:
    """Retrains on the same simulated logs, each in an installation of its own.

    Args:
        prompts: of the logs, every candidate's answer to each.
        seed: of the logs.

    Raises:
        RuntimeError: a retrain failed, or two workers left another router than one.
    """
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"pointsman-distance-{os.getpid()}"
    try:
        measure("scale_case", ["complete", str(folder / "logs"), str(prompts), str(seed)], threads=1)
        one, two = (_retrained(folder / f"home-{workers}", folder / "logs", workers) for workers in (1, 2))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if one[1] != two[1]:
        raise RuntimeError(f"two workers left router {two[1]}, one left {one[1]}")
    rows = [
        _row(name, one[0][name], two[0].get(name, []))
        for name in one[0]
        if together(one[0][name]) >= _LEAST_S or name == "all"
    ]
    return Table(
        name="distance",
        claim=(
            f"`pointsman retrain` on {prompts:,} simulated prompts that every candidate answered, a Dask scheduler and "
            "its workers on this machine, each on a processor of its own. Seconds in which at least one part of the "
            "station runs; stations that don't depend on each other share the workers, and the flow's own process "
            "computes beside them. Fanned out: all stations of several parts, together. Both runs left the same router."
        ),
        rows=rows,
        summary={"router": one[1]},
    )


def _row(name: str, one: list[tuple[float, float]], two: list[tuple[float, float]]) -> dict[str, Cell]:
    first, second = together(one), together(two)
    return {
        "station": name,
        "parts": len(one),
        "s, one worker": first,
        "s, two workers": second,
        "ratio": first / second if second else None,
    }


def _retrained(home: Path, logs: Path, workers: int) -> tuple[Spans, str]:
    """When each station's parts ran, and the bundle's name."""
    environment = {**os.environ, **with_threads(1), "POINTSMAN_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with _cluster(workers, environment) as address:
        start = time.time()
        done = subprocess.run(
            [sys.executable, "-m", "pointsman", "retrain", "--data", str(logs)],
            env={**environment, "POINTSMAN_DASK": address},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        end = time.time()
    bundle = bundle_of(done.stdout + done.stderr, done.returncode)
    spans: dict[str, list[tuple[float, float]]] = {"all": [(start, end)], "fanned out": []}
    for name, first, last in task_runs(home):
        spans.setdefault(name, []).append((first, last))
    spans["fanned out"] = [span for name, of in spans.items() if name != "all" and len(of) > 1 for span in of]
    return spans, bundle.name


@contextlib.contextmanager
def _cluster(workers: int, environment: Mapping[str, str]) -> Iterator[str]:
    """A scheduler's address, with its workers as the documentation starts them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = [sys.executable, "-m", "flows.platform.within", "dask"]
    commands = [[*dask, "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]]
    commands += [[*dask, "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]] * workers
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [subprocess.Popen(command, cwd=ROOT, env=dict(environment), **quiet) for command in commands]
    for place, process in enumerate(running[1:]):
        # before it starts a thread: each stands for a machine of one processor, and would encode on all of this one's
        psutil.Process(process.pid).cpu_affinity([place % (os.cpu_count() or 1)])
    try:
        _wait_for(address, workers)
        yield address
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            process.wait(30)


def _wait_for(address: str, workers: int, *, seconds: float = 120) -> None:
    from distributed import Client

    with Client(address, timeout=seconds, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=seconds)

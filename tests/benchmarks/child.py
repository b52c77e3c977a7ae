"""Each measurement in a process of its own: its threads, its peak memory, nothing left over from the one before.

The parent imports no numerical library. A child's ru_maxrss starts from its parent's size, so a large parent would
hide what the child needs.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def with_threads(count: int) -> dict[str, str]:
    """Environment variables that numerical libraries read when they are loaded: how many threads each may use."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return dict.fromkeys(names, str(count))


def measure(module: str, arguments: Sequence[str], *, threads: int) -> dict[str, Any]:
    """The JSON that `python -m tests.benchmarks.MODULE ARGUMENTS` prints last.

    Raises:
        RuntimeError: the child failed; with the end of what it said.
    """
    home = os.environ.get("POINTSMAN_HOME", ".")
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments],
        cwd=ROOT,
        env={**os.environ, **with_threads(threads), "POINTSMAN_HOME": str(Path(home).resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def medians(
    tasks: Sequence[Callable[[], object]],
    *,
    rounds: int,
    warm: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Median seconds of each task, run in turn so that a slow moment of the machine hits all alike."""
    seconds: list[list[float]] = [[] for _ in tasks]
    for number in range(warm + rounds):
        for task, taken in zip(tasks, seconds, strict=True):
            start = clock()
            task()
            if number >= warm:
                taken.append(clock() - start)
    return [statistics.median(taken) for taken in seconds]

"""The whole line on logs of growing size: seconds, processor time, memory and growth of every station.

Each size is `pointsman retrain` in an installation of its own, watched from outside; nothing in it is shortened.
"""

import math
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.benchmarks.child import ROOT, measure
from tests.benchmarks.table import Cell, Table
from tests.benchmarks.task_runs import bundle_of, task_runs

SIZES = (10_000, 30_000)
"""Where no others are asked for; `--sizes 10000 30000 100000` takes an hour."""
_EVERY_S = 0.5
_MEMORY_EACH = 4
_JUDGED = 4000
"""Fresh prompts that the routers are compared on."""
_LEAST_S = 2.0
"""Processor seconds from which a station's growth is worth a figure."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """Processor time of a process and all it started, every half second, and their memory every two.

    Memory that processes share, such as a mapped board, counts once (Linux's proportional set size).
    """

    when: list[float] = field(default_factory=list)
    bytes_used: list[int] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)

    def over(self, process: subprocess.Popen[bytes]) -> None:
        """Until the process ends."""
        ended_s, last, used = 0.0, dict[int, float](), 0
        while process.poll() is None:
            now: dict[int, float] = {}
            family = _family(process.pid)
            for one in family:
                with suppress(psutil.Error):
                    times = one.cpu_times()
                    now[one.pid] = times.user + times.system
            # reading it takes 16 ms of processor for each GiB
            if len(self.when) % _MEMORY_EACH == 0:
                used = sum(_bytes_used(one) for one in family)
            ended_s += sum(spent for pid, spent in last.items() if pid not in now)
            last = now
            self.when.append(time.time())
            self.bytes_used.append(used)
            self.processor_s.append(ended_s + sum(now.values()))
            time.sleep(_EVERY_S)

    def within(self, start: float, end: float) -> tuple[float, float]:
        """Processor seconds between two times, and most GiB used."""
        spent = _at(self.when, self.processor_s, end) - _at(self.when, self.processor_s, start)
        near = [used for when, used in zip(self.when, self.bytes_used, strict=True) if start - 1 <= when <= end + 1]
        return spent, max(near, default=0) / 2**30


def run(sizes: Sequence[int] = SIZES, *, complete: Sequence[int] = (), seed: int = 0) -> Table:
    """Every station at every size, and what the routers are worth.

    Args:
        sizes: prompts of one answer each.
        complete: prompts of logs in which every candidate answered; their routers are worth comparing, no more.
        seed: of the world and its logs.
    """
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"pointsman-scale-{os.getpid()}"
    home = folder / "home"
    found: dict[int, dict[str, tuple[float, float, float]]] = {}
    worth: dict[str, Mapping[str, float]] = {}
    for what, prompts in [*(("write", size) for size in sizes), *(("complete", size) for size in complete)]:
        place, label = folder / f"{what}-{prompts}", f"{prompts:,} {'complete ' if what == 'complete' else ''}prompts"
        try:
            measure("scale_case", [what, str(place / "logs"), str(prompts), str(seed)], threads=1)
            stations, bundle = _retrained(place, home)
            worth[label] = measure("scale_case", ["judge", str(bundle), str(_JUDGED), str(seed)], threads=1)
        finally:
            shutil.rmtree(place, ignore_errors=True)
            # the next size meets no router in service
            shutil.rmtree(home / "data" / "published", ignore_errors=True)
        if what == "write":
            found[prompts] = stations
        print(label, {name: tuple(round(one, 1) for one in of) for name, of in stations.items()}, flush=True)
        print(label, worth[label], flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    names = list(dict.fromkeys(name for of in found.values() for name in of))
    return Table(
        name="scale",
        claim=(
            "`pointsman retrain` on simulated logs of one answer a prompt, 8 candidates, from tables to verdict. "
            "Seconds of the clock, of the processor (all processes; of stations that run side by side, of both), most "
            "GiB in memory while the station ran, and the exponent of the processor's seconds between the two largest "
            f"sizes where they are {_LEAST_S:g} or more. "
            "What an installation makes once (the sentence encoder and its token vectors) is in the smallest size's "
            f"figures. Quality: true worth of the answers to {_JUDGED} fresh prompts."
        ),
        rows=[_row(name, found) for name in names],
        summary={f"{label}: {name}": value for label, values in worth.items() for name, value in values.items()},
    )


def _row(name: str, found: Mapping[int, Mapping[str, tuple[float, float, float]]]) -> dict[str, Cell]:
    row: dict[str, Cell] = {"station": name}
    for prompts, stations in found.items():
        seconds, spent, used = stations.get(name, (None, None, None))
        label = f"{prompts // 1000}k"
        row |= {f"s {label}": seconds, f"cpu s {label}": spent, f"GiB {label}": used}
    return row | {"exponent": growth({prompts: of[name][1] for prompts, of in found.items() if name in of})}


def growth(spent: Mapping[int, float]) -> float | None:
    """Exponent of the growth between the two largest sizes; None where there is too little to tell.

    >>> growth({10: 1.0, 100: 10.0, 1000: 100.0})
    1.0
    """
    small, large = ([None, None, *sorted(spent)])[-2:]
    if small is None or large is None or spent[large] < _LEAST_S or spent[small] <= 0:
        return None
    return math.log(spent[large] / spent[small]) / math.log(large / small)


def _retrained(place: Path, home: Path) -> tuple[dict[str, tuple[float, float, float]], Path]:
    """Seconds, processor seconds and GiB by station, and the bundle's path."""
    command = [sys.executable, "-m", "pointsman", "retrain", "--data", str(place / "logs"), "--home", str(home)]
    watch, start = Watch(), time.time()
    with (place / "out.txt").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        thread = threading.Thread(target=watch.over, args=(process,))
        thread.start()
        process.wait()
        thread.join()
    bundle = bundle_of((place / "out.txt").read_text(encoding="utf-8"), process.returncode)
    end = time.time()
    stations = {"all": (end - start, *watch.within(start, end))}
    for name, first, last in task_runs(home):
        if first < start:
            continue
        spent, used = watch.within(first, last)
        before = stations.get(name, (0.0, 0.0, 0.0))
        stations[name] = (before[0] + last - first, before[1] + spent, max(before[2], used))
    return stations, bundle


def _at(when: Sequence[float], value: Sequence[float], time_s: float) -> float:
    """A value between two samples, by a straight line."""
    later = next((place for place, one in enumerate(when) if one >= time_s), len(when) - 1)
    if later <= 0:
        return value[0] if value else 0.0
    share = min((time_s - when[later - 1]) / (when[later] - when[later - 1]), 1.0)
    return value[later - 1] + share * (value[later] - value[later - 1])


def _bytes_used(process: psutil.Process) -> int:
    try:
        found = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(found, "pss", found.rss))


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []

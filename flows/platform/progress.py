"""Which station a run is at, for how long, and about how long it will take: a bar, or lines where nobody watches."""

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from flows.platform import paths
from flows.platform.settings import settings
from pointsman.durable import write_whole

STATIONS = ("ingest", "validate", "embed", "split", "discover", "train", "evaluate", "register", "promote")
_EVERY_S = 30
"""So often a long station says that it is still at work, where there is no bar."""
_FADES = 0.7
"""A station that was quick because nothing had changed must not make the next estimate short."""


class Progress:
    """Call it with a station's name when the run enters that station."""

    def __init__(self, flow: str = "retrain", stations: Sequence[str] = STATIONS) -> None:
        """Args: flow: whose earlier runs the estimate is from; stations: in their order."""
        self._stations, self._flow = stations, flow
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=Console(file=sys.stderr),
        )
        self._task = self._bar.add_task("start", total=len(stations), left="")
        self._known, self._seconds = _read_seconds(flow), dict[str, float]()
        self._station, self._part, self._since = "", "", time.monotonic()
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._tell_regularly, daemon=True)

    def __enter__(self) -> "Progress":
        self._bar.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._close_station()
        if error is None:
            self._bar.update(self._task, completed=len(self._stations), description="done", left="")
            _keep_seconds(self._flow, self._known, self._seconds)
        self._bar.stop()

    def __call__(self, station: str) -> None:
        """Moves the bar to a station.

        Raises:
            ValueError: no such station.
        """
        number = self._stations.index(station)
        self._close_station()
        self._station, self._part, self._since = station, "", time.monotonic()
        self._bar.update(self._task, completed=number, description=station, left=self.left())
        if not self._bar.console.is_terminal:
            self._bar.console.print(f"[{number + 1}/{len(self._stations)}] {station} {self.left()}".rstrip())

    def parts(self, count: int) -> Callable[[object], None]:
        """What a station of many parts calls with the name of each before it begins."""
        begun = 0

        def begin(name: object) -> None:
            nonlocal begun
            begun += 1
            self.doing(f"{name} ({begun} of {count})")

        return begin

    def doing(self, part: str) -> None:
        """Says what the station is at now, where it does several things."""
        self._part = part
        self._bar.update(self._task, description=f"{self._station}: {part}", left=self.left())

    def say(self, line: str) -> None:
        """A line for the person at the terminal, and for the run's log."""
        print(line)  # inside a flow that logs what is printed
        if settings().terminal:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def left(self) -> str:
        """About how long the rest takes, by the run before; empty where there was none."""
        wanted = self._stations[self._stations.index(self._station) :] if self._station else self._stations
        if not all(name in self._known for name in wanted):
            return ""
        here = time.monotonic() - self._since
        seconds = sum(self._known[name] for name in wanted) - min(here, self._known[wanted[0]])
        return f"about {max(1, round(seconds / 60))} min left" if seconds > 45 else "less than a minute left"

    def _close_station(self) -> None:
        if self._station:
            self._seconds[self._station] = time.monotonic() - self._since

    def _tell_regularly(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._bar.update(self._task, left=self.left())
            if self._station and not self._bar.console.is_terminal:
                spent = round(time.monotonic() - self._since)
                line = ", ".join(filter(None, [self._part, f"{spent // 60}:{spent % 60:02} so far", self.left()]))
                self._bar.console.print(f"    {self._station}: {line}", highlight=False)


def _file() -> Path:
    return paths.stages() / "seconds.json"


def _read_seconds(flow: str) -> dict[str, float]:
    try:
        return {str(name): float(value) for name, value in json.loads(_file().read_text())[flow].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def _keep_seconds(flow: str, known: dict[str, float], new: dict[str, float]) -> None:
    try:
        flows = json.loads(_file().read_text())
    except (OSError, ValueError):
        flows = {}
    flows[flow] = known | {name: max(value, _FADES * known.get(name, 0.0)) for name, value in new.items()}
    write_whole(_file(), lambda aside: aside.write_text(json.dumps(flows)))

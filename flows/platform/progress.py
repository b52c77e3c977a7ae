"""A bar on the terminal that says which station is running."""

import sys
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

STATIONS = ("ingest", "validate", "embed", "split", "discover", "train", "evaluate", "register", "promote")


class Progress:
    """Call it with a station's name when the run enters that station."""

    def __init__(self, stations: Sequence[str] = STATIONS) -> None:
        self._stations = stations
        self._bar = Bar(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(file=sys.stderr),
        )
        self._task = self._bar.add_task("start", total=len(stations))

    def __enter__(self) -> "Progress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._bar.update(self._task, completed=len(self._stations), description="done")
        self._bar.stop()

    def __call__(self, station: str) -> None:
        """Moves the bar to a station.

        Raises:
            ValueError: no such station.
        """
        self._bar.update(self._task, completed=self._stations.index(station), description=station)
        if not self._bar.console.is_terminal:
            self._bar.console.print(f"[{self._stations.index(station) + 1}/{len(self._stations)}] {station}")

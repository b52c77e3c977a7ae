"""What a retrain left behind: its bundle, and when its stations ran, as Prefect kept it."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path


def bundle_of(said: str, status: int) -> Path:
    """The bundle that a retrain says it made.

    Raises:
        RuntimeError: it made none; with the end of what it said.
    """
    named = next((line.partition(": ")[2] for line in said.splitlines() if line.startswith("bundle: ")), None)
    if named is None:
        raise RuntimeError(f"the retrain ended with {status}:\n{said[-2000:]}")
    return Path(named)


def task_runs(home: Path) -> list[tuple[str, float, float]]:
    """Of an installation, in order: each ended task's name less the part's number, start and end in seconds."""
    database = home / "data" / "prefect" / "prefect.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        runs = connection.execute(
            "select name, start_time, end_time from task_run where end_time is not null order by start_time"
        ).fetchall()
    return [(_named(name), _seconds(start), _seconds(end)) for name, start, end in runs]


def together(spans: list[tuple[float, float]]) -> float:
    """Seconds in which at least one of the spans was going on.

    >>> together([(0, 2), (1, 3), (5, 6)])
    4.0
    """
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _named(name: str) -> str:
    stem, _, last = name.rpartition("-")
    # Prefect adds a few letters to names that aren't chosen
    plain = stem if stem and len(last) == 3 else name
    return plain.split(", part")[0].split(" from prompt")[0]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()

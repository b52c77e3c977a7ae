"""Many calls of one function over processes of one thread each."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from tests.benchmarks.child import with_threads
from tests.benchmarks.table import Cell

Found = TypeVar("Found")


def as_they_come(
    call: Callable[..., Found], arguments: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[tuple[int, Found]]:
    """Place and result of each call, in the order in which they end; in this process for one worker."""
    if workers == 1:
        yield from ((place, call(*given)) for place, given in enumerate(arguments))
        return
    # read by the children's libraries when they are loaded
    os.environ.update(with_threads(1))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(call, *given): place for place, given in enumerate(arguments)}
        yield from ((waiting[done], done.result()) for done in as_completed(waiting))


def in_processes(call: Callable[..., Found], arguments: Sequence[tuple[Any, ...]], workers: int) -> list[Found]:
    """Every call's result, in the order of the arguments."""
    found = dict(as_they_come(call, arguments, workers))
    return [found[place] for place in range(len(arguments))]


def rows_as_they_come(
    task: Callable[..., dict[str, Cell]], arguments: Sequence[tuple[Any, ...]], workers: int, out: Path | None
) -> list[dict[str, Cell]]:
    """Rows of a table, printed as they come and kept in a JSON file: what is there when time is over stays."""
    rows: list[dict[str, Cell]] = []
    for _, row in as_they_come(task, arguments, workers):
        rows.append(row)
        print(row, flush=True)
        if out is not None:
            out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return rows

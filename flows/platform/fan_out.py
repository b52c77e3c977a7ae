"""Many calls of one Prefect task: one after another here, or on the workers of a Dask cluster; the same result."""

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from prefect import Task

from flows.platform import paths
from flows.platform.settings import settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class UnfitWorker(ValueError):
    """A Dask worker that would give another result, or put it where nobody finds it."""


def task_runner() -> "TaskRunner[Any] | None":
    """The runner of a flow that fans out: Dask's where POINTSMAN_DASK names a scheduler; None: Prefect's own."""
    if settings().dask is None:
        return None
    from prefect_dask import DaskTaskRunner  # noqa: PLC0415  # a second of imports that only Dask needs

    runner: TaskRunner[Any] = DaskTaskRunner(address=settings().dask)
    return runner


def fan_out(
    task: "Task[..., R]", calls: Mapping[K, Mapping[str, Any]], turn: Callable[[K], object] = lambda _: None
) -> dict[K, R]:
    """The task's result for each call, by its key; must be called inside a flow.

    Without Dask the calls run one after another in this process: on a machine of few cores threads gain nothing,
    and torch's random state belongs to a whole process.

    Args:
        task: what to call.
        calls: its arguments by keyword.
        turn: called with each key before its result is waited for.

    Raises:
        UnfitWorker: a Dask worker keeps its files elsewhere or runs several tasks at once.
    """
    results: dict[K, R] = {}
    if settings().dask is None:
        for key, arguments in calls.items():
            turn(key)
            results[key] = task(**arguments)
        return results
    require_fit(str(settings().dask))
    waiting: dict[K, Any] = {key: task.submit(**arguments) for key, arguments in calls.items()}
    for key, future in waiting.items():
        turn(key)
        results[key] = future.result()
    return results


def require_fit(address: str) -> None:
    """Checks every worker of a scheduler.

    Raises:
        UnfitWorker: a worker keeps its files elsewhere or runs several tasks at once; or there is no worker.
    """
    from distributed import Client  # noqa: PLC0415

    with Client(address, set_as_default=False) as client:
        threads, homes = client.nthreads(), client.run(home)
    start = f"POINTSMAN_HOME={home()} python -m flows.platform.within dask worker {address} --nthreads 1"
    if not threads:
        raise UnfitWorker(f"{address} has no worker: start one with {start}")
    for worker, count in threads.items():
        if count != 1:
            # torch's random state is one a process
            raise UnfitWorker(f"worker {worker} runs {count} tasks at once: start it with {start}")
        if homes.get(worker, home()) != home():
            raise UnfitWorker(f"worker {worker} keeps its files in {homes[worker]}: start it with {start}")


def home() -> str:
    """Where the process that asks keeps its files."""
    return str(paths.home())

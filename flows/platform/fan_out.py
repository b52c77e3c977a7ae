"""Tasks that don't depend on each other, in processes beside the flow's or on a Dask cluster: the same result."""

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from prefect import Task
from prefect.context import FlowRunContext

from flows.platform import paths
from flows.platform.caching import is_kept
from flows.platform.processes import LocalProcesses
from flows.platform.settings import settings

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class UnfitWorker(ValueError):
    """A Dask worker that would give another result, or put it where nobody finds it."""


class Unreachable(ValueError):
    """A Dask scheduler that doesn't answer, or no longer."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"no Dask scheduler answers at {address}: start it and its workers again, then the same command, "
            "which goes on from the last finished station"
        )


class Pending(Protocol[R_co]):
    """A call whose result may be there already, or come from elsewhere."""

    def result(self) -> R_co:
        """The result, waited for."""


@dataclass(frozen=True, slots=True)
class _Here(Generic[R]):
    """A call that runs in this process when its result is asked for."""

    task: "Task[..., R]"
    arguments: Mapping[str, Any]

    def result(self) -> R:
        result: R = self.task(**self.arguments)
        return result


def task_runner() -> "TaskRunner[Any] | None":
    """The runner of a flow that fans out: Dask's where POINTSMAN_DASK names a scheduler, else processes of its own.

    None: POINTSMAN_WORKERS is 0, and everything runs in the flow's process.
    """
    here = settings()
    if here.dask is not None:
        from prefect_dask import DaskTaskRunner  # noqa: PLC0415  # a second of imports that only Dask needs

        runner: TaskRunner[Any] = DaskTaskRunner(address=here.dask)
        return runner
    return LocalProcesses(max_workers=here.workers) if here.workers else None


def start_ahead(*modules: str) -> None:
    """Has a run's own processes, where it has some, load modules while the flow does what only it can do.

    For flows of which it is known that they will begin calls: two processes spend several seconds each on it.
    """
    context = FlowRunContext.get()
    if context is not None and isinstance(context.task_runner, LocalProcesses):
        context.task_runner.start_ahead(*modules)


def begin(task: "Task[..., R]", calls: Mapping[K, Mapping[str, Any]]) -> dict[K, Pending[R]]:
    """Starts calls that don't depend on each other, beside whatever the flow does next; must be called inside a flow.

    They run on Dask's workers or in processes beside the flow's: threads gain nothing where Python computes, and
    torch's random state belongs to a whole process. A call whose result is kept from an earlier run starts no process;
    without workers each call runs in this process when its result is asked for.

    Args:
        task: what to call.
        calls: its arguments by keyword.

    Raises:
        UnfitWorker: a Dask worker keeps its files elsewhere or runs several tasks at once.
        Unreachable: no scheduler answers.
    """
    here = settings()
    if here.dask is not None:
        require_fit(here.dask)
    elsewhere = here.dask is not None or here.workers > 0
    return {
        key: task.submit(**arguments) if elsewhere and not is_kept(task, arguments) else _Here(task, arguments)
        for key, arguments in calls.items()
    }


def finish(pending: Mapping[K, Pending[R]], turn: Callable[[K], object] = lambda _: None) -> dict[K, R]:
    """The results of what was begun, by key.

    Args:
        pending: what `begin` returned.
        turn: called with each key before its result is waited for.

    Raises:
        Unreachable: the scheduler is gone.
    """
    results: dict[K, R] = {}
    for key, call in pending.items():
        turn(key)
        try:
            results[key] = call.result()
        except CancelledError as error:
            address = settings().dask
            if address is None:
                raise
            raise Unreachable(address) from error
    return results


def fan_out(
    task: "Task[..., R]", calls: Mapping[K, Mapping[str, Any]], turn: Callable[[K], object] = lambda _: None
) -> dict[K, R]:
    """`begin` and `finish` in one: the task's result for each call, by its key.

    Raises:
        UnfitWorker: a Dask worker keeps its files elsewhere or runs several tasks at once.
        Unreachable: no scheduler answers, or no longer.
    """
    return finish(begin(task, calls), turn)


def require_fit(address: str, *, wait_s: float = 30.0) -> None:
    """Checks every worker of a scheduler.

    Args:
        address: the scheduler's, tcp://HOST:PORT.
        wait_s: seconds that it has to answer.

    Raises:
        UnfitWorker: a worker keeps its files elsewhere or runs several tasks at once; or there is no worker.
        Unreachable: no scheduler answers.
    """
    from distributed import Client  # noqa: PLC0415

    try:
        with Client(address, timeout=wait_s, set_as_default=False) as client:
            threads, homes = client.nthreads(), client.run(home)
    except OSError as error:
        raise Unreachable(address) from error
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

"""Processes beside a run's own, in which its stations that don't depend on each other compute."""

import atexit
import gc
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import connection, parent_process
from types import TracebackType
from typing import Any

from prefect import Task
from prefect.context import FlowRunContext
from prefect.futures import PrefectConcurrentFuture, PrefectFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ProcessPoolTaskRunner

_BESIDE = 5
"""Niceness above the run's own."""


class LocalProcesses(ProcessPoolTaskRunner):
    """Prefect's process pool, whose processes use the run's own server and end with the run, however it ends.

    A process starts when the first task is submitted, or ahead of it, and takes some seconds to import what the tasks
    need.
    """

    def __init__(self, max_workers: int) -> None:
        super().__init__(max_workers=max_workers, initializer=_begin_beside)
        self._submitted: list[PrefectConcurrentFuture[Any]] = []
        self._loading: list[Future[None]] = []

    def start_ahead(self, *modules: str) -> None:
        """Has every process import modules, before there is a task for it; must be called inside a flow."""
        if self._executor is not None:
            self._loading += [self._executor.submit(_load, modules) for _ in range(self._max_workers)]

    def submit(
        self,
        task: "Task[..., Any]",
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[Any]] | None = None,
    ) -> PrefectConcurrentFuture[Any]:
        """As Prefect's."""
        with _server_of_the_run():
            future = super().submit(task, parameters, wait_for, dependencies)
        self._submitted.append(future)
        return future

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # a run that failed or was stopped doesn't wait for what nobody will read
        open_still = [*(future.wrapped_future for future in self._submitted), *self._loading]
        if any(not future.done() for future in open_still):
            processes = getattr(self._executor, "_processes", None) or {}
            for process in list(processes.values()):
                process.terminate()
        self._submitted.clear()
        self._loading.clear()
        super().__exit__(kind, error, trace)


def _load(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)


def _begin_beside() -> None:
    """The run waits for what only its own process does: where processors are few, that goes first.

    It waits for these processes' end as well, which takes seconds if they look for garbage then.
    """
    os.nice(_BESIDE)
    atexit.register(gc.freeze)
    end_with_parent()


def end_with_parent() -> None:
    """Ends this process at once when the run's process is gone, as after a kill: nobody would read its results.

    Ctrl-C is the run's alone, which ends its processes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _server_of_the_run() -> Iterator[None]:
    """Names the server that the run started for itself, where none is named: else each process starts another."""
    context = FlowRunContext.get()
    if context is None or PREFECT_API_URL.value():
        yield
        return
    with temporary_settings({PREFECT_API_URL: str(context.client.api_url).rstrip("/")}):
        yield

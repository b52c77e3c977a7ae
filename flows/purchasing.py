"""What the commands that buy answers and grades share: the endpoint, the bar, and how they are stopped."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from components.asking.client import Endpoint
    from components.asking.purchase import Progress
    from components.collecting.choosing import Predicted

T = TypeVar("T")
_EVERY_S = 15.0
"""Between lines of progress where no terminal shows a bar."""


def endpoint(url: str | None) -> "Endpoint":
    """The endpoint at a URL, with the key and the patience of the environment.

    Raises:
        ValueError: no URL, or none that can be asked.
    """
    from components.asking.client import Endpoint
    from flows.platform.settings import settings

    here = settings()
    if not (url or here.llm_url):
        raise ValueError("--url is missing: the base of an OpenAI-compatible API, such as http://127.0.0.1:4000/v1")
    return Endpoint(url=url or here.llm_url, api_key=here.llm_key, patience_s=here.llm_patience_s)


class Bar:
    """Progress on standard error: done, USD spent, time left."""

    def __init__(self, budget_usd: float) -> None:
        self._budget_usd = budget_usd
        self._start = self._last = time.monotonic()
        self._first: int | None = None
        self._shown = False

    def __call__(self, progress: "Progress") -> None:
        """Shows where a purchase is."""
        now, live = time.monotonic(), sys.stderr.isatty()
        self._first = progress.done - 1 if self._first is None else self._first
        if now - self._last < (0.2 if live else _EVERY_S) and not (live and progress.done == progress.all):
            return
        self._last, self._shown = now, self._shown or live
        rate = max(progress.done - self._first, 1) / max(now - self._start, 1e-6)
        left = (progress.all - progress.done) / rate
        line = (
            f"{progress.done}/{progress.all} calls, {progress.spent_usd:.4f} of {self._budget_usd:g} USD, "
            f"{left / 60:.0f} min {left % 60:.0f} s left"
        )
        print(f"\r{line}\x1b[K" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leaves the line that it wrote on."""
        if self._shown:
            print(file=sys.stderr)


def predicted_for(folder: Path) -> "Predicted | None":
    """What the router in service says of a folder's prompts; None: there is none, or it can't be loaded."""
    import numpy as np

    from components.collecting.choosing import Predicted
    from components.tables.store import read_tables
    from pointsman.bundle.evidence import prompt_digests
    from pointsman.bundle.pointer import resolve
    from pointsman.bundle.reading import read_bundle
    from pointsman.errors import BundleError
    from pointsman.home import published
    from pointsman.router import Router

    try:
        bundle = read_bundle(resolve(published()))
        router = Router.load(bundle.folder, threads=1)
    except BundleError:
        return None
    texts = read_tables(folder).prompts["prompt"].to_list()
    routing = router.route(texts)
    # on prompts that it was trained on, what it chooses without them: that is what a gate judges it by
    held_N = bundle.evidence.held_choices(prompt_digests(texts))
    return Predicted(
        models=router.candidates,
        quality_NM=routing.quality_NM,
        choice_N=np.where(held_N >= 0, held_N, routing.choice_N),
        task_N=np.asarray(routing.task_N, dtype=np.int32),
        single=router.candidates[int(bundle.model.fallback)],
    )


def stoppable(work: Callable[[], T], bar: Bar) -> T:
    """Work that Ctrl-C ends with a line, everything bought being kept.

    Raises:
        ValueError: it was stopped.
    """
    try:
        return work()
    except KeyboardInterrupt:
        raise ValueError("stopped; what was answered is kept, the same command goes on") from None
    finally:
        bar.close()

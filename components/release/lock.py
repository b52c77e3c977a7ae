"""One promotion at a time: the registry's aliases and the pointer are last-writer-wins by themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"


class Busy(RuntimeError):
    """Another promotion holds the lock."""


@contextmanager
def hold(root: Path, timeout: float = 60.0) -> Iterator[None]:
    """Holds a published root's lock; the system frees it if the process dies.

    Args:
        root: the published root, created if missing.
        timeout: seconds to wait, >= 0.

    Raises:
        Busy: it is still held by then.
    """
    root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / LOCK, timeout=timeout)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"{root} is held by another promotion; waited {timeout:g} s") from None
    try:
        yield
    finally:
        lock.release()

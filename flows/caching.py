"""When a Prefect task need not run again: the same inputs by content, and the same sources of what it calls."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect.context import TaskRunContext

from flows.references import DataRef


def by_content(*packages: str) -> Callable[[TaskRunContext, dict[str, Any]], str]:
    """A cache key function: task name, inputs' digests and the digest of the packages' sources.

    Prefect's own TASK_SOURCE sees only the task's few lines, so an edited component would give a stale result.

    Args:
        packages: dotted names of the component packages that the task calls.
    """

    def key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
        inputs = json.dumps(parameters, default=_content, sort_keys=True)
        sources = "".join(source_digest(package) for package in packages)
        return f"{context.task.name}-{hashlib.sha256((inputs + sources).encode()).hexdigest()}"

    return key


@cache
def source_digest(package: str) -> str:
    """sha256 over the Python sources of a package, as hex."""
    folder = Path(str(import_module(package).__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def _content(value: object) -> object:
    if isinstance(value, DataRef):
        return value.digest
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__qualname__: asdict(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} can't be part of a cache key")

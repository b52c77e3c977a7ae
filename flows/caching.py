"""When a Prefect task need not run again: the same inputs by content, and the same sources of what it calls."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect.context import TaskRunContext
from pydantic import BaseModel

from flows.references import DataRef

_IMPORTED = re.compile(r"^\s*(?:from|import) (components\.\w+)", re.MULTILINE)


def by_content(*packages: str) -> Callable[[TaskRunContext, dict[str, Any]], str]:
    """A cache key function: task name, inputs' digests and the digest of the packages' sources.

    Prefect's own TASK_SOURCE sees only the task's few lines, so an edited component would give a stale result.

    Args:
        packages: dotted names of the component packages that the task calls; what they import counts as well.
    """

    def key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
        inputs = json.dumps(parameters, default=_content, sort_keys=True)
        sources = "".join(source_digest(package) for package in reached(*packages))
        return f"{context.task.name}-{hashlib.sha256((inputs + sources).encode()).hexdigest()}"

    return key


@cache
def reached(*packages: str) -> tuple[str, ...]:
    """The packages and, through their import statements, all component packages below them, by name."""
    found, waiting = set[str](), list(packages)
    while waiting:
        if (package := waiting.pop()) not in found:
            found.add(package)
            waiting += [below for path in _sources(package) for below in _IMPORTED.findall(path.read_text())]
    return tuple(sorted(found))


@cache
def source_digest(package: str) -> str:
    """sha256 over the Python sources of a package, as hex."""
    digest = hashlib.sha256()
    for path in _sources(package):
        digest.update(str(path.relative_to(_folder(package))).encode() + path.read_bytes())
    return digest.hexdigest()


def _folder(package: str) -> Path:
    return Path(str(import_module(package).__file__)).parent


def _sources(package: str) -> list[Path]:
    return sorted(_folder(package).rglob("*.py"))


def _content(value: object) -> object:
    if isinstance(value, DataRef):
        return value.digest
    if isinstance(value, BaseModel):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__qualname__: asdict(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} can't be part of a cache key")

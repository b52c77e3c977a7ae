"""When a Prefect task need not run again: the same inputs by content, the same code, the same libraries."""

import ast
import hashlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.context import TaskRunContext
from pydantic import BaseModel

from flows.platform import paths
from flows.platform.references import DataRef, discard, intact

_LOG = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
OURS = frozenset({"pointsman", "components", "flows"})
ORCHESTRATION = frozenset({"prefect", "pydantic"})
"""Libraries that decide when something runs, not what comes out."""


def by_content(context: TaskRunContext, parameters: dict[str, Any]) -> str:
    """The cache key of a task run: its function, its inputs' content, and the digest of all code that it reaches.

    Prefect's own TASK_SOURCE sees only the task's few lines, so an edited component would give a stale result. Prefect
    asks for the key before it looks for a result: one whose outputs are damaged is removed by then.
    """
    return _looked_after(_key(context.task.fn, parameters))


def is_kept(task: "Task[..., Any]", arguments: Mapping[str, Any]) -> bool:
    """Whether the result of a task with these arguments is kept from an earlier run, and intact: it need not run then.

    Args:
        task: one of ours.
        arguments: all of them, by keyword.
    """
    return task.cache_key_fn is by_content and (paths.results() / _looked_after(_key(task.fn, arguments))).is_file()


def _key(function: Callable[..., Any], arguments: Mapping[str, Any]) -> str:
    inputs = json.dumps(dict(arguments), default=_content, sort_keys=True)
    code = code_digest(function.__module__)
    return f"{function.__name__}-{hashlib.sha256((inputs + code).encode()).hexdigest()}"


def _looked_after(key: str) -> str:
    """The key; a result under it whose outputs aren't what was kept is removed, so that its task runs again."""
    record = paths.results() / key
    try:
        result = json.loads(json.loads(record.read_bytes())["result"])
    except (OSError, ValueError, KeyError, TypeError):
        # none is there, or a torn one, which Prefect takes for none
        return key
    for kept in _references(result):
        if not intact(kept):
            _LOG.warning("%s isn't as it was kept: what makes it runs again", kept.path)
            discard(kept)
            record.unlink(missing_ok=True)
    return key


def _references(value: object) -> Iterator[DataRef]:
    """Every reference in a result as Prefect writes it down."""
    if isinstance(value, dict):
        if value.keys() == DataRef.model_fields.keys():
            yield DataRef.model_validate(value)
        value = [*value.values()]
    if isinstance(value, list):
        for part in value:
            yield from _references(part)


def cached_task(run_name: str | None = None, *, name: str | None = None) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A Prefect task whose result is kept under `by_content`.

    Args:
        name: as people see it, beginning with its station's; None: the function's.
        run_name: a template of the run's name, with the task's arguments in braces; None: Prefect's own.
    """
    return task(
        name=name, cache_key_fn=by_content, persist_result=True, result_serializer="json", task_run_name=run_name
    )


@cache
def code_digest(module: str) -> str:
    """sha256, as hex, over a module, every module of ours that its imports lead to, and the libraries' versions.

    Comments and docstrings don't count. A package's `__init__` counts where it is imported by name.
    """
    modules, libraries = reached(module)
    lines = [f"{name} {module_digest(name)}" for name in sorted(modules)]
    lines += [f"{name} {library_version(name)}" for name in sorted(libraries)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def reached(module: str) -> tuple[frozenset[str], frozenset[str]]:
    """Our modules that a module's imports lead to, itself among them, and the libraries that these import."""
    found, libraries, waiting = set[str](), set[str](), [module]
    while waiting:
        if (name := waiting.pop()) in found:
            continue
        found.add(name)
        for imported in _imports(name):
            top = imported.partition(".")[0]
            if top in OURS:
                waiting.append(imported)
            elif top not in sys.stdlib_module_names and top not in ORCHESTRATION:
                libraries.add(top)
    return frozenset(found), frozenset(libraries)


def read_source(module: str) -> str:
    """The text of a module of ours; empty for a folder without an `__init__`."""
    place = _place(module)
    files = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    return files[0].read_text(encoding="utf-8") if files else ""


def library_version(library: str) -> str:
    """Installed version of the distribution that a top-level name comes from; empty where it isn't installed."""
    return ",".join(version(name) for name in sorted(set(_distributions().get(library, []))))


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(read_source(module))


@cache
def _imports(module: str) -> frozenset[str]:
    return frozenset(_imported(_tree(module)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module.partition(".")[0] in OURS:
                # `from package import module` imports a module, `from module import name` doesn't
                yield from (name for alias in node.names if _is_module(name := f"{node.module}.{alias.name}"))


def _is_module(name: str) -> bool:
    place = _place(name)
    return place.is_dir() or place.with_suffix(".py").is_file()


def _place(module: str) -> Path:
    """Where a module of ours stands if it is one, without a suffix.

    Python is asked for the top level alone: to find what is deeper it imports all that it stands in, torch included.
    """
    top, *inner = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"no package {top}")
    return Path(spec.submodule_search_locations[0]).joinpath(*inner)


@cache
def module_digest(module: str) -> str:
    """sha256 of what a module's source does, as hex."""
    return tree_digest(_tree(module))


def tree_digest(tree: ast.Module) -> str:
    """sha256, as hex, of a syntax tree less its bare strings, which are docstrings wherever they stand."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


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

"""Cache keys follow the inputs' content and the code that runs, and nothing else."""

import ast
import importlib
import importlib.util
import inspect
import json
import pkgutil
import shutil
import subprocess
import sys
import typing
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect import Task, flow
from pydantic import BaseModel

import flows
from components.tables.quarantine import QuarantineConfig
from flows.platform import caching, paths
from flows.platform.caching import (
    by_content,
    cached_task,
    code_digest,
    is_kept,
    module_digest,
    reached,
    read_source,
    tree_digest,
)
from flows.platform.references import DataRef, keep
from flows.stations.stages import Prepared


def context(module="flows.stations.ingest"):
    return SimpleNamespace(
        task=SimpleNamespace(name="ingest", fn=SimpleNamespace(__module__=module, __name__="ingest"))
    )


def every_task():
    """Every Prefect task of ours, by name."""
    found = {}
    for module in pkgutil.walk_packages(flows.__path__, "flows."):
        if module.name.endswith(("__main__", ".within", ".cli")):
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Task):
                found[f"{value.fn.__module__}.{value.fn.__name__}"] = value
    return found


EVERY_TASK = every_task()
TASKS = {name: task for name, task in EVERY_TASK.items() if task.cache_key_fn is by_content}
"""Those whose results are kept."""


@pytest.fixture
def edited(monkeypatch):
    """Keys as they are when one module's source reads otherwise."""

    def edit(module, change):
        after = tree_digest(ast.parse(change(read_source(module))))
        with monkeypatch.context() as patched:
            patched.setattr(caching, "module_digest", lambda name: after if name == module else module_digest(name))
            code_digest.cache_clear()
            digests = {name: code_digest(task.fn.__module__) for name, task in TASKS.items()}
        code_digest.cache_clear()
        return digests

    return edit


@pytest.fixture(scope="module")
def plain():
    code_digest.cache_clear()
    return {name: code_digest(task.fn.__module__) for name, task in TASKS.items()}


def constant(source):
    return source + "\nEDITED = 1\n"


def test_a_digest_imports_nothing_that_it_is_about():
    code = (
        "import sys; from flows.platform.caching import code_digest; code_digest('flows.stations.train'); "
        "print({'torch', 'lightning', 'sklearn', 'components.heads'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_what_is_reached_is_what_python_would_import():
    for name in sorted(reached("flows.stations.train")[0]):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        text = "" if spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")
        assert read_source(name) == text


def test_the_key_follows_content_and_parameters():
    first = keep("caching", lambda folder: (folder / "x.txt").write_text("one"))
    other = keep("caching", lambda folder: (folder / "x.txt").write_text("two"))
    config, run = QuarantineConfig(), context()
    assert by_content(run, {"logs": first, "config": config}) == by_content(run, {"config": config, "logs": first})
    assert by_content(run, {"logs": first}) != by_content(run, {"logs": other})
    assert by_content(run, {"config": config}) != by_content(run, {"config": QuarantineConfig(max_share=0.5)})


def test_the_tasks_of_every_flow_are_found():
    modules = {name.rpartition(".")[0] for name in TASKS}
    assert {"flows.stations.ingest", "flows.stations.train", "flows.stations.comparison", "flows.compare"} <= modules


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_constant_in_the_tasks_own_module_changes_its_key(name, plain, edited):
    module = TASKS[name].fn.__module__
    after = edited(module, constant)
    assert after[name] != plain[name]


def test_a_constant_in_a_helper_of_flows_changes_every_key(plain, edited):
    after = edited("flows.platform.references", constant)
    assert all(after[name] != plain[name] for name in TASKS)


@pytest.mark.parametrize("module", ["components.tables.schema", "components.heads.losses", "pointsman.model.weights"])
def test_a_module_that_is_reached_only_indirectly_changes_the_keys_of_those_that_reach_it(module, plain, edited):
    after = edited(module, constant)
    for name, task in TASKS.items():
        reaches = module in reached(task.fn.__module__)[0]
        assert (after[name] != plain[name]) == reaches
    assert any(after[name] != plain[name] for name in TASKS)


def test_a_component_that_is_not_reached_changes_nothing(plain, edited):
    after = edited("components.drift.two_sample", constant)
    assert {name for name in TASKS if after[name] != plain[name]} == set()


@pytest.mark.parametrize(
    "change",
    [
        lambda source: source + "\n# a comment\n",
        lambda source: source.replace('"""', '"""Said otherwise. ', 1),
        lambda source: "\n\n" + source,
    ],
    ids=["comment", "docstring", "blank lines"],
)
def test_what_does_not_run_changes_nothing(change, plain, edited):
    assert edited("components.tables.store", change) == plain


def test_another_version_of_a_library_that_computes_changes_the_keys(monkeypatch, plain):
    with monkeypatch.context() as patched:
        patched.setattr(caching, "library_version", lambda library: "0" if library == "scipy" else "1")
        caching.code_digest.cache_clear()
        before = code_digest("flows.stations.train")
        patched.setattr(caching, "library_version", lambda library: "1")
        caching.code_digest.cache_clear()
        assert code_digest("flows.stations.train") != before
    caching.code_digest.cache_clear()
    assert "numpy" in reached("flows.stations.ingest")[1]
    assert "prefect" not in reached("flows.stations.ingest")[1]


def test_references_inside_a_model_count_by_content():
    first, other = (keep("caching", lambda folder, t=t: (folder / "x.txt").write_text(t)) for t in ("one", "two"))
    one = Prepared(**dict.fromkeys(Prepared.model_fields, first))
    run = context()
    assert by_content(run, {"stages": one}) == by_content(run, {"stages": one.model_copy()})
    assert by_content(run, {"stages": one}) != by_content(run, {"stages": one.model_copy(update={"splits": other})})


def kinds(task):
    """What a task's parameters are annotated with, each with the ways in which it may be passed."""
    hints = typing.get_type_hints(task.fn)
    return [(hints[name], parameter.kind) for name, parameter in inspect.signature(task.fn).parameters.items()]


def holds_references(hint):
    return hint is DataRef or any(holds_references(part) for part in typing.get_args(hint))


@pytest.mark.parametrize("name", sorted(EVERY_TASK))
def test_a_task_of_several_references_takes_each_by_keyword(name):
    found = [kind for hint, kind in kinds(EVERY_TASK[name]) if holds_references(hint)]
    assert len(found) < 2 or set(found) == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_cached_task_takes_the_whole_model_of_references(name):
    """Its key would follow references that it never opens."""
    assert not any(isinstance(hint, type) and issubclass(hint, Prepared) for hint, _ in kinds(TASKS[name]))


class Pair(BaseModel):
    """A reference inside a model, as `Descriptions` has one."""

    ref: DataRef | None
    name: str


RAN = []


@cached_task()
def make(text: str, nested: bool = False) -> DataRef | Pair:
    """An output of one file."""
    RAN.append(text)
    ref = keep("made", lambda folder: (folder / "x.txt").write_text(text))
    return Pair(ref=ref, name=text) if nested else ref


@flow
def use(text: str, nested: bool) -> DataRef:
    """The output, made or kept."""
    found = make(text, nested)
    return found.ref if isinstance(found, Pair) else found


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("damage", ["emptied", "changed", "gone", "folder gone", "record torn"])
def test_a_station_whose_kept_output_is_damaged_is_done_again(server, home, monkeypatch, damage, nested, caplog):
    # Prefect keeps results where this session began, whatever home another test left behind
    monkeypatch.setenv("POINTSMAN_HOME", str(home))
    text = f"whole {damage} {nested}"
    kept = use(text, nested)
    path = kept.file("x.txt")
    assert use(text, nested) == kept
    assert RAN.count(text) == 1
    assert is_kept(make, {"text": text, "nested": nested})
    match damage:
        case "emptied":
            path.write_text("")
        case "changed":
            path.write_text(text.swapcase())
        case "gone":
            path.unlink()
        case "folder gone":
            shutil.rmtree(kept.path)
        case "record torn":
            (record,) = [one for one in paths.results().glob("make-*") if f"whole {damage} {nested}" in told(one)]
            record.write_text(record.read_text()[:-20])
    if damage != "record torn":
        assert not is_kept(make, {"text": text, "nested": nested})
        assert f"{kept.path} isn't as it was kept" in caplog.text
    assert use(text, nested) == kept
    assert path.read_text() == text
    assert RAN.count(text) == 2
    assert use(text, nested) == kept
    assert RAN.count(text) == 2


def test_a_damaged_output_is_removed_with_its_record_and_no_other_is():
    arguments = {"text": "here", "nested": True}
    run = SimpleNamespace(task=make)
    kept, other = (keep("asked", lambda folder, t=t: (folder / "x.txt").write_text(t)) for t in ("here", "there"))
    record = paths.results() / by_content(run, arguments)
    record.parent.mkdir(parents=True, exist_ok=True)
    held = {"__class__": "Pair", "data": {"refs": [other.model_dump(mode="json"), kept.model_dump(mode="json")]}}
    for result in (json.dumps(held), "null", "torn"):
        record.write_text(json.dumps({"metadata": {}, "result": result}))
        by_content(run, arguments)
        assert record.exists()
        assert kept.path.exists()
    record.write_text(json.dumps({"metadata": {}, "result": json.dumps(held)}))
    kept.file("x.txt").write_text("HERE")
    assert not is_kept(make, arguments)
    assert (record.exists(), kept.path.exists(), other.path.exists()) == (False, False, True)


def told(record):
    """The text of the file that a record leads to."""
    found = json.loads(json.loads(record.read_text())["result"])["data"]
    return (Path(found.get("ref", found)["path"]) / "x.txt").read_text()


def test_what_has_no_content_is_refused():
    with pytest.raises(TypeError, match="a object can't be part of a cache key"):
        by_content(context(), {"x": object()})

import sys
from types import SimpleNamespace

import pytest

from components.tables.quarantine import QuarantineConfig
from flows.board import BoardRef
from flows.caching import by_content, reached, source_digest
from flows.references import keep

CONTEXT = SimpleNamespace(task=SimpleNamespace(name="ingest"))


def test_the_key_follows_content_and_parameters():
    key = by_content("components.tables")
    first = keep("caching", lambda folder: (folder / "x.txt").write_text("one"))
    other = keep("caching", lambda folder: (folder / "x.txt").write_text("two"))
    config = QuarantineConfig()
    assert key(CONTEXT, {"logs": first, "config": config}) == key(CONTEXT, {"config": config, "logs": first})
    assert key(CONTEXT, {"logs": first}) != key(CONTEXT, {"logs": other})
    assert key(CONTEXT, {"config": config}) != key(CONTEXT, {"config": QuarantineConfig(max_share=0.5)})


def test_an_edited_component_gets_a_new_key(tmp_path, monkeypatch):
    package = tmp_path / "edited_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("X = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = by_content("edited_package")(CONTEXT, {})
    (package / "deep.py").write_text("X = 2\n")
    source_digest.cache_clear()
    assert by_content("edited_package")(CONTEXT, {}) != before
    sys.modules.pop("edited_package")


def test_the_key_reaches_every_package_below():
    below = reached("components.baselines")
    assert {"components.baselines", "components.heads", "components.tasks"} <= set(below)
    assert not {"components.routing", "components.release"} & set(below)


def test_an_edit_below_the_named_package_gets_a_new_key(monkeypatch):
    before = by_content("components.baselines")(CONTEXT, {})
    monkeypatch.setattr(
        "flows.caching.source_digest",
        lambda package: "edited" if package == "components.tasks" else source_digest(package),
    )
    assert by_content("components.baselines")(CONTEXT, {}) != before


def test_references_inside_a_model_count_by_content():
    first, other = (keep("caching", lambda folder, t=t: (folder / "x.txt").write_text(t)) for t in ("one", "two"))
    key = by_content("components.tables")
    one = BoardRef(tables=first, embedded=first, splits=first, features=first)
    assert key(CONTEXT, {"board": one}) == key(CONTEXT, {"board": one.model_copy()})
    assert key(CONTEXT, {"board": one}) != key(CONTEXT, {"board": one.model_copy(update={"splits": other})})


def test_what_has_no_content_is_refused():
    with pytest.raises(TypeError, match="a object can't be part of a cache key"):
        by_content("components.tables")(CONTEXT, {"x": object()})

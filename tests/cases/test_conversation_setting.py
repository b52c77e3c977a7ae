"""Which turns of a conversation are read is said once, at the import, and holds for training, server and hook."""

import asyncio
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from components.sources.importing import ImportConfig, import_logs
from components.tables.conversation import FILE
from components.tables.errors import TableError
from components.tables.store import read_tables
from pointsman.router import Router
from pointsman.serving.app import ServingConfig, create_app
from pointsman.serving.decision_log import LogConfig, read_segments
from pointsman.text.conversation import DEFAULT, ConversationConfig
from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "parts", "prompts", "second"]
pytestmark = pytest.mark.filterwarnings("ignore::Warning")
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "add 1 2"},
    {"role": "assistant", "content": "3"},
    {"role": "user", "content": [{"type": "text", "text": "sing of it"}]},
    {"role": "assistant", "content": "la"},
    {"role": "user", "content": "go on"},
]
SETTINGS = (
    DEFAULT,
    ConversationConfig(earlier_turns=0),
    ConversationConfig(earlier_turns=1, system=True),
)


def spend(folder: Path, messages: list[dict[str, object]] = TALK) -> Path:
    path = folder / "spend.jsonl"
    rows = [
        {"request_id": f"r{n}", "model": model, "metadata": {"quality": n}, "messages": messages}
        for n, model in enumerate(("small", "large"))
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def imported(folder: Path, **settings: object) -> None:
    log = spend(folder)
    import_logs(ImportConfig(source="litellm-spend", paths=(log,), data=folder / "data", **settings))


@pytest.mark.parametrize("setting", SETTINGS)
def test_trained_and_served_texts_agree(tmp_path, parts, setting):
    imported(tmp_path, conversation=setting)
    tables = read_tables(tmp_path / "data")
    assert tables.conversation == setting
    changed = replace(parts, provenance=replace(parts.provenance, conversation=tables.conversation))
    served = changed.write(tmp_path / "bundles")
    assert Router.load(served).conversation == setting

    log = LogConfig(folder=tmp_path / "http", flush_seconds=60)
    http = TestClient(create_app(served, ServingConfig(reload_seconds=0, log=log)))
    assert http.post("/v1/route", json={"messages": TALK}).status_code == 200
    http.app.state.log.flush()

    spec = importlib.util.spec_from_file_location("hook", Path("infra/litellm/pointsman_hook.py").resolve())
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler = module.PointsmanHook(str(served), decisions=str(tmp_path / "hook"))
    asyncio.run(handler.async_pre_call_hook(None, None, {"model": "pointsman", "messages": TALK}, "completion"))
    handler._service._log.flush()

    texts = [read_segments(tmp_path / name, "decisions")["text"].to_list() for name in ("http", "hook")]
    assert texts == [tables.prompts["prompt"].to_list()] * 2


def test_tables_of_messages_are_read_by_the_setting_beside_them(tmp_path):
    (tmp_path / "prompts.jsonl").write_text(json.dumps({"prompt_id": "p", "prompt": TALK}))
    (tmp_path / "outcomes.jsonl").write_text(json.dumps({"prompt_id": "p", "model": "small", "quality": 1}))
    (tmp_path / "models.json").write_text(json.dumps([{"model": "small"}]))
    assert read_tables(tmp_path).prompts["prompt"][0] == "add 1 2\n\nsing of it\n\ngo on"
    (tmp_path / FILE).write_text('{"earlier_turns": 0}')
    assert read_tables(tmp_path).prompts["prompt"][0] == "go on"
    (tmp_path / FILE).write_text('{"earlier_turns": "two"}')
    with pytest.raises(TableError, match=r"conversation\.json: earlier_turns must be a whole number >= 0"):
        read_tables(tmp_path)


def test_an_append_goes_on_with_the_setting_that_is_there(tmp_path):
    alone = ConversationConfig(earlier_turns=0)
    imported(tmp_path, conversation=alone)
    imported(tmp_path, append=True)
    assert read_tables(tmp_path / "data").prompts["prompt"].to_list() == ["go on"]
    with pytest.raises(TableError, match="import without --append"):
        imported(tmp_path, append=True, conversation=DEFAULT)
    imported(tmp_path)
    assert read_tables(tmp_path / "data").conversation == DEFAULT
    assert not (tmp_path / "data" / FILE).exists()

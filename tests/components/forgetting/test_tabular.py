"""Rows go from every kind of table; all others stay as they were."""

import json

import polars as pl
import pytest

from components.forgetting.tabular import read_rows, rewrite, tabular_files, unwanted
from components.forgetting.wanted import Asked, find_wanted
from components.tables.splits import text_digests
from pointsman.errors import InputError

ROWS = [
    {"prompt_id": "p1", "prompt": "tell me, ä", "n": 1, "deep": {"a": [1, None]}},
    {"prompt_id": "p2", "prompt": "say", "n": 2, "deep": None},
    {"prompt_id": "p3", "prompt": "tell me, ä", "n": 3, "deep": {"a": []}},
]


@pytest.fixture(params=["parquet", "jsonl", "jsonl.replaced", "json", "csv"])
def table(request, tmp_path):
    path = tmp_path / f"prompts.{request.param}"
    if request.param == "parquet":
        pl.DataFrame(ROWS).write_parquet(path)
    elif request.param == "csv":
        pl.DataFrame(ROWS).drop("deep").write_csv(path)
    elif request.param == "json":
        path.write_text(json.dumps(ROWS))
    else:
        path.write_text("\n\n".join(json.dumps(row) for row in ROWS) + "\n")
    return path


def test_a_row_and_the_same_text_under_another_id_go_and_the_rest_stays(table, tmp_path):
    wanted = find_wanted(Asked(prompt_ids=frozenset({"p3"})), [tmp_path])
    assert wanted.prompt_ids == {"p1", "p3"}
    assert wanted.texts == ("tell me, ä",)
    assert list(tabular_files(tmp_path)) == [table]
    rewrite(table, unwanted(read_rows(table), wanted))
    assert read_rows(table)["prompt_id"].to_list() == ["p2"]
    if table.suffix != ".csv":
        kept = pl.read_parquet(table).to_dicts()[0] if table.suffix == ".parquet" else None
        if kept is None:
            text = table.read_text()
            kept = json.loads(text)[0] if table.suffix == ".json" else json.loads(text)
        assert kept == ROWS[1]


def test_a_conversation_a_tenant_and_the_decisions_behind_imported_prompts(tmp_path):
    tables, log = tmp_path / "tables", tmp_path / "log"
    for folder in (tables, log):
        folder.mkdir()
    pl.DataFrame(
        {"prompt_id": ["p1", "p2", "p3"], "prompt": ["a", "b", "c"], "conversation_id": ["s1", "s1", None]}
    ).write_parquet(tables / "prompts.parquet")
    pl.DataFrame({"prompt_id": ["p3", "p1"], "model": ["m", "m"], "decision_id": ["d3", "d1"]}).write_parquet(
        tables / "outcomes.parquet"
    )
    pl.DataFrame(
        {
            "decision_id": ["d1", "d3", "d4", "d5"],
            "text": ["a", "c", "d", None],
            "session": ["s1", None, None, None],
            "tenant": [None, "acme", "acme", "other"],
        }
    ).write_parquet(log / "decisions-1.parquet")
    found = find_wanted(Asked(conversations=frozenset({"s1"})), [tables, log])
    assert (found.prompt_ids, found.decision_ids, found.texts) == ({"p1", "p2"}, {"d1"}, ("a", "b"))
    found = find_wanted(Asked(tenants=frozenset({"acme"})), [tables, log])
    assert (found.prompt_ids, found.decision_ids, found.texts) == ({"p3"}, {"d3", "d4"}, ("c", "d"))
    with pytest.raises(InputError, match="nothing is known of p9"):
        find_wanted(Asked(prompt_ids=frozenset({"p9"})), [tables, log])


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_ids_and_texts_link_no_rows(tmp_path, blank):
    prompts = {"prompt_id": ["p1", "p2", "p3"], "prompt": ["a", "b", blank], "conversation_id": [blank] * 3}
    pl.DataFrame(prompts).write_parquet(tmp_path / "prompts.parquet")
    outcomes = {"prompt_id": ["p1", "p2", "p3"], "decision_id": [blank] * 3}
    pl.DataFrame(outcomes).write_parquet(tmp_path / "outcomes.parquet")
    log = {"decision_id": [blank, "d2"], "text": [blank, blank], "tenant": [blank, "t"]}
    pl.DataFrame(log).write_parquet(tmp_path / "decisions-1.parquet")
    for name, texts in (("p1", ("a",)), ("p3", ())):
        found = find_wanted(Asked(prompt_ids=frozenset({name})), [tmp_path])
        assert (found.prompt_ids, found.decision_ids, found.texts) == ({name}, set(), texts)
    with pytest.raises(InputError, match="nothing is known of"):
        find_wanted(Asked(conversations=frozenset({blank}), tenants=frozenset({blank})), [tmp_path])


def test_digests_of_a_text_go_with_it(tmp_path):
    pl.DataFrame({"prompt_id": ["p1"], "prompt": ["Hello  World"]}).write_parquet(tmp_path / "prompts.parquet")
    wanted = find_wanted(Asked(prompt_ids=frozenset({"p1"})), [tmp_path])
    frozen = pl.DataFrame({"prompt_id": ["old"], "text": text_digests(pl.Series(["hello world"]))})
    assert unwanted(frozen, wanted).to_list() == [True]


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt_id": "p1"}\n{"prompt')
    with pytest.raises(InputError, match=r"prompts\.jsonl: can't be read, so nothing in it was forgotten"):
        read_rows(tmp_path / "prompts.jsonl")

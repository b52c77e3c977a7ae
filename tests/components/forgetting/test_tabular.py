"""Rows go from every kind of table; all others stay as they were."""

import json

import polars as pl
import pytest

from components.forgetting.tabular import Unreadable, read_rows, rewrite, tabular_files, unwanted
from components.forgetting.wanted import Asked, find_wanted
from components.tables.likeness import text_digests
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


def forgotten(folder, *ids):
    """What was wanted; its rows are gone from every table afterwards."""
    wanted = find_wanted(Asked(prompt_ids=frozenset(ids)), [folder])
    for path in tabular_files(folder):
        gone = unwanted(read_rows(path), wanted)
        if gone.any():
            rewrite(path, gone)
    return wanted


def test_columns_are_found_under_the_names_and_types_that_a_retrain_reads(tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt_id": "1", "prompt": "a"}\n{"prompt_id": "2", "prompt": "b"}\n')
    (tmp_path / "responses.jsonl").write_text('{"prompt_id": 1, "response": "x"}\n{"prompt_id": 2, "response": "y"}\n')
    (tmp_path / "outcomes.json").write_text(json.dumps([{"PROMPT_ID": " 1 ", "n": 1}, {"PROMPT_ID": "2", "n": 2}]))
    pl.DataFrame({"promptId": [1.0, 2.0, None], "kind": ["judge"] * 3}).write_parquet(tmp_path / "grades.parquet")
    pl.DataFrame({"Prompt-ID": pl.Series(["1", "2"], dtype=pl.Categorical)}).write_parquet(tmp_path / "old.parquet")
    pl.DataFrame({"prompt_id": ["1", "2"]}).cast(pl.Decimal(9, 2)).write_parquet(tmp_path / "more.parquet")
    assert forgotten(tmp_path, "1").texts == ("a",)
    assert (tmp_path / "prompts.jsonl").read_text() == '{"prompt_id": "2", "prompt": "b"}\n'
    assert (tmp_path / "responses.jsonl").read_text() == '{"prompt_id": 2, "response": "y"}\n'
    assert json.loads((tmp_path / "outcomes.json").read_text()) == [{"PROMPT_ID": "2", "n": 2}]
    assert pl.read_parquet(tmp_path / "grades.parquet")["promptId"].to_list() == [2.0, None]
    assert pl.read_parquet(tmp_path / "old.parquet").height == 1
    assert pl.read_parquet(tmp_path / "more.parquet").height == 1


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "json"])
def test_ids_that_are_whole_numbers_everywhere_are_known(tmp_path, suffix):
    frame = pl.DataFrame({"prompt_id": [1, 2], "prompt": ["a", "b"]})
    path = tmp_path / f"prompts.{suffix}"
    {"parquet": frame.write_parquet, "jsonl": frame.write_ndjson, "json": frame.write_json}[suffix](path)
    assert forgotten(tmp_path, "1").texts == ("a",)
    assert read_rows(path).height == 1


def test_two_unicode_spellings_are_one_id(tmp_path):
    pl.DataFrame({"prompt_id": ["e\u0301 ", "b"], "prompt": ["a", "b"]}).write_parquet(tmp_path / "prompts.parquet")
    assert forgotten(tmp_path, " \u00e9").texts == ("a",)


def test_rows_by_their_key_go_and_the_object_stays_one(tmp_path):
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps({"1": {"prompt": "a"}, "2": {"prompt": "b"}}))
    # candidates are by the model's name, which is no prompt's id
    (tmp_path / "models.json").write_text(json.dumps({"1": {"provider": "x"}}))
    assert forgotten(tmp_path, "1").texts == ("a",)
    assert json.loads(path.read_text()) == {"2": {"prompt": "b"}}
    assert json.loads((tmp_path / "models.json").read_text()) == {"1": {"provider": "x"}}


@pytest.mark.parametrize("form", ["jsonl", "parquet", "texts"])
def test_a_prompt_that_is_a_list_of_messages_is_its_routed_text(tmp_path, form):
    said = [[{"role": "system", "content": "be kind"}, {"role": "user", "content": text}] for text in ("a", "b")]
    rows = [{"prompt_id": f"p{n}", "prompt": json.dumps(s) if form == "texts" else s} for n, s in enumerate(said)]
    path = tmp_path / f"prompts.{'parquet' if form == 'parquet' else 'jsonl'}"
    pl.DataFrame(rows).write_parquet(path) if form == "parquet" else pl.DataFrame(rows).write_ndjson(path)
    (tmp_path / "other.jsonl").write_text('{"prompt_id": "p7", "prompt": "a"}\n')
    wanted = forgotten(tmp_path, "p0")
    assert (wanted.prompt_ids, wanted.texts) == ({"p0", "p7"}, ("a",))
    assert read_rows(path)["prompt_id"].to_list() == ["p1"]


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


@pytest.mark.parametrize("torn", ['{"prompt', '{"prompt_id": "p1"', "{"])
def test_a_last_line_that_was_torn_is_no_row_and_goes_on_rewriting(tmp_path, torn):
    path = tmp_path / "prompts.jsonl"
    rows = [json.dumps({"prompt_id": f"p{n}", "prompt": f"text {n}"}) + "\n" for n in range(3)]
    path.write_text("".join(rows) + torn)
    assert read_rows(path)["prompt_id"].to_list() == ["p0", "p1", "p2"]
    assert forgotten(tmp_path, "p1").texts == ("text 1",)
    assert path.read_text() == rows[0] + rows[2]
    # one that only lacks its end is a row
    path.write_text("".join(rows)[:-1])
    assert read_rows(path).height == 3


@pytest.mark.parametrize("name", ["prompts.jsonl", "models.json", "decisions-1.parquet", "outcomes.parquet"])
def test_a_damaged_table_is_named(tmp_path, name):
    (tmp_path / name).write_text('{"prompt_id": "p1"}\n\n{"prompt\n{"prompt_id": "p2"}\n')
    line = "line 3 isn't JSON" if name.endswith("l") else ""
    with pytest.raises(InputError, match=rf"{name}: can't be read, so nothing was forgotten: .*{line}") as caught:
        read_rows(tmp_path / name)
    assert not isinstance(caught.value, Unreadable)


@pytest.mark.parametrize("name", ["raw.csv", "prompts.csv", "outcomes-x.jsonl", "old.json", "prompts.parquet.replaced"])
def test_what_nothing_else_reads_stops_nothing(tmp_path, name):
    (tmp_path / name).write_text("a;b\n1;x, y\n2;x, y, z\n")
    pl.DataFrame({"prompt_id": ["p1"], "prompt": ["a"]}).write_parquet(tmp_path / "prompts.parquet")
    with pytest.raises(Unreadable, match=f"{name} can't be read as a table"):
        read_rows(tmp_path / name)
    assert find_wanted(Asked(prompt_ids=frozenset({"p1"})), [tmp_path]).texts == ("a",)

import gzip
import json
from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from components.sources.call import ReadOptions
from components.sources.importers import SOURCES, described
from components.sources.importing import ImportConfig
from components.tables.errors import TableError
from components.tables.schema import SCHEMAS
from tests.components.sources.conftest import LOG, cells, column, prices, row


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_source_names_a_missing_file(tmp_path: Path, imported, source: str) -> None:
    with pytest.raises(TableError, match=r"absent\.jsonl: can't be read: no such file"):
        imported(source, tmp_path / "absent.jsonl")
    assert f"{source} " in described()


@pytest.mark.parametrize("source", sorted(set(SOURCES) - {"tables"}))
def test_every_source_refuses_another_ones_file(tmp_path: Path, imported, source: str) -> None:
    path = tmp_path / f"log{SOURCES[source].suffixes[0]}"
    if path.suffix == ".parquet":
        pl.DataFrame({"x": [1, 2]}).write_parquet(path)
    else:
        path.write_text('{"x": 1}\n{"x": 2}\n')
    with pytest.raises(TableError, match=r"log\."):
        imported(source, path)
    assert not (tmp_path / "data").exists()


def test_tables_have_the_schemas_types(lines, imported) -> None:
    _, tables = imported("llmrouter", lines(*LOG))
    for schema in SCHEMAS:
        assert dict(getattr(tables, schema.name).schema) == schema.dtypes


def test_packed_files_byte_order_marks_and_folders_are_read_alike(lines, imported, tmp_path: Path) -> None:
    text = lines(*LOG).read_bytes()
    expected = cells(imported("llmrouter", tmp_path / "logs")[1])
    for name, content in (
        ("log.jsonl.gz", gzip.compress(text)),
        ("log.jsonl.zst", pa.compress(text, codec="zstd", asbytes=True)),
        ("log.jsonl", b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n") + b"\r\n\r\n"),
        ("log.json", b"[" + text.replace(b"\n", b",\n") + b"]"),
        ("log.json", b'{"data": [' + text.replace(b"\n", b",") + b"]}"),
    ):
        folder = tmp_path / "other"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        (folder / name).write_bytes(content)
        assert cells(imported("llmrouter", folder)[1]) == expected


def test_lines_end_at_newlines_only(lines, imported) -> None:
    text = "one\u2028two\u0085three"
    path = lines(json.dumps(row(text), ensure_ascii=False), row("x", performance=0))
    assert set(cells(imported("llmrouter", path)[1])) == {(text, "a"), ("x", "a")}


def test_utf16_and_broken_packs_say_so(tmp_path: Path, imported) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(row()), encoding="utf-16")
    with pytest.raises(TableError, match="is UTF-16; save it as UTF-8"):
        imported("llmrouter", path)
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(b"not packed at all")
    with pytest.raises(TableError, match=r"log\.jsonl\.gz: can't be read"):
        imported("llmrouter", path)


def test_lines_and_documents_beyond_any_logs_are_refused(tmp_path: Path, imported, monkeypatch) -> None:
    monkeypatch.setattr("components.sources.files.LONGEST_LINE", 1000)
    monkeypatch.setattr("components.sources.files.LARGEST", 2000)
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(b"0" * 5000))
    with pytest.raises(TableError, match="has a line of more than 1000 bytes"):
        imported("llmrouter", path)
    path.write_bytes(gzip.compress(b"[\n" + b"\n" * 5000))
    with pytest.raises(TableError, match="is a JSON document of more than 2000 bytes"):
        imported("llmrouter", path)


def test_half_a_surrogate_pair_is_no_text_and_stops_nothing(lines, imported) -> None:
    _, tables = imported("llmrouter", lines(*LOG, '{"task_name": "x", "query": "cut \\ud83d", "model_name": "a"}'))
    assert ("cut \ufffd", "a") in cells(tables)


def test_blank_lines_count_in_line_numbers(lines, imported, tmp_path: Path) -> None:
    imported("llmrouter", lines("", " ", row(), "", row("x"), "[2]"))
    assert pl.read_parquet(tmp_path / "data" / "import_quarantine.parquet")["row"].to_list() == [6]


def test_times_out_of_order_are_put_in_order(lines, imported) -> None:
    spans = [
        {"attributes": {"gen_ai.request.model": "m", "gen_ai.input.messages": [{"role": "user", "content": "Hi"}]}}
        | {"start_time": f"2025-03-0{day}T10:00:00Z", "traceId": "t", "spanId": str(day)}
        for day in (3, 1, 2)
    ]
    _, tables = imported("otel", lines(*spans))
    assert tables.outcomes["decided_at"].to_list() == [datetime(2025, 3, 3, 10)]
    assert tables.prompts["created_at"].to_list() == [datetime(2025, 3, 1, 10)]


def test_bytes_that_are_not_utf8_are_one_row(lines, imported) -> None:
    path = lines(*LOG)
    path.write_bytes(path.read_bytes() + b'\n{"query": "\xff"}')
    assert imported("llmrouter", path)[0].reasons == {"not a line of JSON": 1}


def test_several_answers_to_a_prompt_are_averaged_and_counted(lines, imported) -> None:
    again = [row("q", performance=value, input_tokens=value * 10, cost=0.5) for value in (0, 1, 1, 0.5)]
    tally, tables = imported("llmrouter", lines(*again))
    assert tables.outcomes.select("quality", "samples", "input_tokens", "cost_usd").row(0) == (0.625, 4, 6, 0.5)
    assert "1 outcomes are means over several answers" in tally.text()


def test_of_several_ungraded_answers_those_that_are_not_kept_are_counted(lines, imported) -> None:
    again = [row("q", performance=None, response=text) for text in ("one", "two", "two", "three")]
    tally, tables = imported("llmrouter", lines(*again, row("r", response="graded")))
    assert tables.responses["response"].to_list() == ["three"]
    assert "2 ungraded answers aren't kept: of several of a model to a prompt the last is" in tally.text()


def test_rows_set_aside_are_kept_with_file_line_and_reason(lines, imported, tmp_path: Path) -> None:
    tally, _ = imported("llmrouter", lines(*LOG, row(performance="good"), "[1]"))
    aside = pl.read_parquet(tmp_path / "data" / "import_quarantine.parquet")
    assert aside.rows() == [
        ("log.jsonl", 61, "the grade is no number: 'good'"),
        ("log.jsonl", 62, "not a JSON object: [1]"),
    ]
    assert tally.reasons == {"the grade is no number": 1, "not a JSON object": 1}


def test_too_many_unusable_rows_stop_with_the_account_and_write_nothing(lines, imported, tmp_path: Path) -> None:
    log = lines(*LOG[:4], *[row(performance="good")] * 5, row(query=" "))
    with pytest.raises(TableError) as caught:
        imported("llmrouter", log)
    assert "6 of 10 rows can't be used, more than the share of 0.5 (--most-unusable)\nread 10 rows" in str(caught.value)
    assert "5  the grade is no number" in str(caught.value)
    assert not (tmp_path / "data").exists()
    assert imported("llmrouter", log, most_unusable=0.6)[0].outcomes == 4


def test_calls_that_failed_for_a_day_stop_no_import(lines, imported) -> None:
    answered = [{"decision_id": f"d{n}", "candidate": "ab"[n % 2], "text": f"{n}?"} for n in range(10)]
    failed = [{"decision_id": f"d{n}", "error": "HTTP 400"} for n in range(2, 10)]
    log = lines(*map(json.dumps, [*answered, *failed]))
    tally, tables = imported("decisions", log)
    assert (tally.reasons, tables.outcomes.height) == ({"the call failed": 8}, 2)
    # what can't be read still counts, among the calls that didn't fail
    with pytest.raises(TableError, match="3 of 5 rows can't be used"):
        imported("decisions", lines(*map(json.dumps, [*answered, *failed]), "1", "2", "3"))


def test_grades_on_another_scale_stop_with_the_range_and_are_read_with_it(lines, imported) -> None:
    stars = lines(
        *(row(f"{place}?", model, 1 + (place + one) % 5) for place in range(30) for one, model in enumerate("ab"))
    )
    with pytest.raises(TableError, match=r"lie outside their scale(.|\n)*between 1 and 5: .*--scale 1:5"):
        imported("llmrouter", stars, most_unusable=1)
    assert set(column(imported("llmrouter", stars, scale=(1, 5))[1], "quality")) == {0, 0.25, 0.5, 0.75, 1}
    assert set(column(imported("llmrouter", stars, scale=(5, 1))[1], "quality")) == {0, 0.25, 0.5, 0.75, 1}
    tally, _ = imported("llmrouter", lines(*LOG, row(performance=809)))
    assert tally.reasons == {"the grade is outside [0, 1]": 1}
    assert "grades lie between 0 and 809: if that is another scale, say so, for instance --scale 0:809" in tally.text()
    tally, _ = imported("llmrouter", lines(*LOG, row(performance=6)), scale=(0, 5))
    assert "grades lie between 0 and 6: if that is another scale, say so, for instance --scale 0:10" in tally.text()


@pytest.mark.parametrize("infinite", ["inf", "-Infinity", "1e999", float("inf")])
def test_an_infinite_grade_is_none_on_any_scale(lines, imported, infinite) -> None:
    tally, _ = imported("llmrouter", lines(*LOG, *(row(f"{n}?", performance=infinite) for n in range(9))))
    assert tally.reasons == {"the grade is no number": 9}
    assert "--scale" not in tally.text()


def test_grades_of_one_value_tell_no_scale(lines, imported) -> None:
    with pytest.raises(TableError, match=r"between 809 and 809: .*with --scale WORST:BEST"):
        imported("llmrouter", lines(row(performance=809)))


def test_models_are_renamed_and_twins_are_named(lines, imported, tmp_path: Path) -> None:
    prices(tmp_path / "logs", a=1, b=2, c=2) if (tmp_path / "logs").exists() else None
    log = lines(*LOG, row("0 + 1?", "c"))
    prices(log.parent, a=1, b=2, c=2)
    tally, _ = imported("llmrouter", log)
    assert "b and c have the same prices and 1 prompts in common: if they are one model, --rename c=b" in tally.text()
    tally, tables = imported("llmrouter", log, rename={"c": "b"})
    assert tables.candidates["model"].to_list() == ["a", "b"]
    assert "same prices" not in tally.text()


def test_spellings_of_one_name_are_one_model(lines, imported) -> None:
    _, tables = imported("llmrouter", lines(row(model="mode\u0300le "), row("x", model="mod\u00e8le")))
    assert tables.candidates["model"].to_list() == ["mod\u00e8le"]


def spent(prompt: str, quality: float | None, **changes: object) -> dict[str, object]:
    """A row of a gateway's spend log that has the id of its trace, as all calls of a trace have."""
    said = {"messages": [{"role": "user", "content": prompt}]}
    return {"request_id": "r", "model": "a", "proxy_server_request": said, "metadata": {"quality": quality}} | changes


class TestOneIdOfSeveralCalls:
    def test_different_prompts_are_never_one_call(self, lines, imported) -> None:
        tally, tables = imported("litellm-spend", lines(spent("Why?", 1), spent("Who?", None), spent("Who?", None)))
        assert cells(tables) == {("Why?", "a"): 1, ("Who?", "a"): None}
        assert column(tables, "samples") == [1, 1]
        assert "2 calls have the id of a call of the same model with another prompt: each counts" in tally.text()
        assert "1 rows tell of a call that another row tells of too, and count once with it" in tally.text()

    def test_nor_are_they_where_the_second_comes_later(self, lines, imported) -> None:
        imported("litellm-spend", lines(spent("Why?", 1)))
        tally, tables = imported("litellm-spend", lines(spent("Who?", 0)), append=True)
        assert cells(tables) == {("Why?", "a"): 1, ("Who?", "a"): 0}
        assert "2 calls have the id of a call of the same model" in tally.text()
        again, twice = imported("litellm-spend", lines(spent("Who?", 0)), append=True)
        assert twice.outcomes.equals(tables.outcomes)
        assert "1 rows tell of a call that another row tells of too" in again.text()

    def test_of_ids_that_do_not_repeat_nothing_is_said(self, lines, imported) -> None:
        tally, _ = imported("litellm-spend", lines(*(spent(f"{n}?", 1, request_id=f"r{n}") for n in range(3))))
        assert "calls have the id" not in tally.text()
        assert "another row" not in tally.text()

    def test_a_call_is_one_under_whatever_label(self, lines, imported) -> None:
        graded = {"request_id": "r", "metadata": {"quality": 0.5, "benchmark": "odd"}}
        _, tables = imported("litellm-spend", lines(spent("Why?", None), spent("Why?", None, **graded)))
        assert (tables.outcomes.height, column(tables, "samples"), column(tables, "quality")) == (1, [1], [0.5])


def test_two_spellings_of_an_id_are_no_reason_to_join_two_prompts(tmp_path: Path, imported) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,prompt,a\nna\u00efve,Why?,1\nnai\u0308ve,Who?,0\n", encoding="utf-8")
    _, tables = imported("wide-csv", path)
    assert cells(tables) == {("Why?", "a"): 1, ("Who?", "a"): 0}
    path.write_text("id,prompt,a\nnai\u0308ve,When?,0.5\n", encoding="utf-8")
    _, tables = imported("wide-csv", path, append=True)
    assert cells(tables) == {("Why?", "a"): 1, ("Who?", "a"): 0, ("When?", "a"): 0.5}


class TestPrices:
    def test_a_given_table_goes_before_one_beside_the_log(self, lines, imported, tmp_path: Path) -> None:
        log = lines(*LOG)
        prices(log.parent, a=1, b=2)
        assert imported("llmrouter", log)[1].candidates["input_usd_per_mtok"].to_list() == [1, 2]
        given = prices(tmp_path, "given.json", a=9)
        assert imported("llmrouter", log, prices=given)[1].candidates["input_usd_per_mtok"].to_list() == [9, 2]

    def test_a_table_beside_the_log_that_cannot_be_read_is_named(self, lines, imported) -> None:
        log = lines(*LOG)
        (log.parent / "models.json").write_text('[{"model": "a", "input_usd_per_mtok": "much"}]')
        tally, tables = imported("llmrouter", log)
        assert tables.candidates["input_usd_per_mtok"].to_list() == [None, None]
        assert "note: prices beside the log are passed over: " in tally.text()
        assert "column 'input_usd_per_mtok' must be a number; row 0 holds 'much'" in tally.text()

    def test_litellms_price_map_is_read(self, lines, imported, tmp_path: Path) -> None:
        costs = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6, "mode": "chat"}
        content = {"sample_spec": {"input_cost_per_token": "a number", "max_input_tokens": "text"}, "vendor/a": costs}
        (tmp_path / "map.json").write_text(json.dumps(content))
        tally, tables = imported("llmrouter", lines(*LOG), prices=tmp_path / "map.json")
        assert tables.candidates.select("model", "input_usd_per_mtok", "output_usd_per_mtok").rows() == [
            ("a", 1, 2),
            ("b", None, None),
        ]
        assert "no prices known of b: give them with --prices FILE" in tally.text()

    def test_a_later_import_does_not_keep_stale_prices(self, lines, imported, tmp_path: Path) -> None:
        imported("llmrouter", lines(*LOG), prices=prices(tmp_path, "old.json", a=1, b=2))
        new = prices(tmp_path, "new.json", a=3)
        _, tables = imported("llmrouter", lines(*LOG), prices=new, append=True)
        assert tables.candidates["input_usd_per_mtok"].to_list() == [3, 2]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "spreadsheet"}, r"unknown log format 'spreadsheet'; known: decisions, inspect"),
        ({"source": "otel", "paths": ()}, "give a file or a folder"),
        ({"source": "otel", "most_unusable": 1.5}, r"most_unusable must be in \[0, 1\]"),
    ],
)
def test_config_refuses_bad_values(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImportConfig(**{"paths": (Path("x"),), "data": Path("y"), **settings})  # type: ignore[arg-type]


def test_a_scale_has_two_ends() -> None:
    with pytest.raises(ValueError, match="two different ends"):
        ReadOptions(scale=(1, 1))


def test_a_prompt_as_long_as_no_table_takes_is_set_aside(lines, imported) -> None:
    tally, _ = imported("llmrouter", lines(*LOG, row("x" * 1_000_001)))
    assert tally.reasons == {"the prompt is longer than 1000000 characters": 1}


def test_one_model_alone_is_said(lines, imported) -> None:
    tally, _ = imported("llmrouter", lines(*(row(f"{place}?") for place in range(5))))
    assert "only a has answers" in tally.text()

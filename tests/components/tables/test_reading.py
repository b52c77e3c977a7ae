"""Harmless differences in files that are read, and what a message says of the others."""

import json
from pathlib import Path

import polars as pl
import pytest

from components.tables.errors import TableError
from components.tables.reading import ReadLimits
from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS
from components.tables.store import read_table

LINE = '{"prompt_id": "a", "model": "m", "quality": %s}\n'


def test_a_byte_order_mark_and_crlf_are_passed_over(tmp_path: Path) -> None:
    for name, text in (("outcomes.jsonl", LINE % 1 + LINE % 0), ("outcomes.json", f"[{LINE % 1},{LINE % 0}]")):
        path = tmp_path / name
        path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
        assert read_table(path, OUTCOMES)["quality"].to_list() == [1, 0]


def test_nan_of_python_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(LINE % 1 + LINE % "NaN" + LINE % 0.5)
    assert read_table(path, OUTCOMES)["quality"].to_list() == [1, None, 0.5]


def test_half_a_surrogate_pair_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt_id": "a", "prompt": "cut \\ud83d"}\n{"prompt_id": "b", "prompt": "whole \\ud83d\\ude00"}')
    assert read_table(path, PROMPTS)["prompt"].to_list() == ["cut \ufffd", "whole \U0001f600"]


@pytest.mark.parametrize("messages", [False, True])
def test_half_a_surrogate_pair_is_the_character_for_what_is_unknown(tmp_path: Path, messages: bool) -> None:
    said = "x\ud83d tail"
    path = tmp_path / "prompts.jsonl"
    prompt = [{"role": "user", "content": said}] if messages else said
    path.write_text(json.dumps({"prompt_id": "a", "prompt": prompt}))
    assert read_table(path, PROMPTS)["prompt"].to_list() == ["x\ufffd tail"]


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text((LINE % 1) * 4 + '{"prompt_id": oops}\n' + LINE % 1)
    with pytest.raises(TableError, match=r"outcomes.jsonl: can't be read as jsonl: line 5 isn't JSON: Expecting value"):
        read_table(path, OUTCOMES)
    path.write_text(LINE % 1 + "[1]\n" + LINE % "NaN")
    with pytest.raises(TableError, match=r"line 2 must be an object"):
        read_table(path, OUTCOMES)


def test_attack_13_line_5001_is_read_or_named(tmp_path: Path) -> None:
    """Not "TapeError at character 68": types are told from the first lines, and what follows may differ."""
    path = tmp_path / "outcomes.jsonl"
    path.write_text(LINE % 1 * 5000 + LINE % "NaN" + LINE % 0)
    assert read_table(path, OUTCOMES)["quality"].to_list()[4999:] == [1, None, 0]
    path.write_text(LINE % 1 * 5000 + LINE % "nought")
    with pytest.raises(TableError, match="line 5001 isn't JSON"):
        read_table(path, OUTCOMES)


def test_lines_end_at_newlines_only(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    text = "one\u2028two\u0085three"
    path.write_text(json.dumps({"prompt_id": "a", "prompt": text}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_table(path, PROMPTS)["prompt"].to_list() == [text]
    path.write_text(path.read_text(encoding="utf-8") + '{"prompt_id": "b", "prompt": NaN}', encoding="utf-8")
    assert read_table(path, PROMPTS)["prompt"].to_list() == [text, None]


@pytest.mark.parametrize("value", ["True", "true ", "1", " 1.0", True, 1])
def test_truth_is_one(tmp_path: Path, value: object) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(LINE % json.dumps(value) + LINE % json.dumps("False" if isinstance(value, str) else False))
    assert read_table(path, OUTCOMES)["quality"].to_list() == [1, 0]


def test_texts_for_unknown_numbers(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(LINE % '"N/A"' + LINE % '"nan"' + LINE % '"0.5"')
    assert read_table(path, OUTCOMES)["quality"].to_list() == [None, None, 0.5]


def test_messages_are_read_as_their_routed_text(tmp_path: Path) -> None:
    talk = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hello"}]
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url"}]}]
    path = tmp_path / "prompts.jsonl"
    for prompts, expected in (
        ([talk, talk], ["Hello"] * 2),
        ([talk, parts, "plain"], ["Hello", "What is this?", "plain"]),
    ):
        path.write_text("\n".join(json.dumps({"prompt_id": i, "prompt": p}) for i, p in enumerate(prompts)))
        assert read_table(path, PROMPTS)["prompt"].to_list() == expected


def test_prices_by_model_and_by_the_token(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    prices = {"input_cost_per_token": 1e-7, "output_cost_per_token": 4e-7, "cache_read_input_token_cost": 5e-8}
    path.write_text(json.dumps({"small": prices | {"max_input_tokens": 8192}, "large": {"provider": "x"}}))
    frame = read_table(path, CANDIDATES)
    assert frame.select("model", "input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok").rows() == [
        ("small", 0.1, 0.4, 0.05),
        ("large", None, None, None),
    ]
    assert frame["context_window"].to_list() == [8192, None]


def test_lists_of_capabilities_as_list_and_as_text(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    for written in (["tools", "vision"], "tools, vision"):
        path.write_text(json.dumps([{"model": "m", "capabilities": written, "retired": "false"}]))
        frame = read_table(path, CANDIDATES)
        assert frame["capabilities"].to_list() == [["tools", "vision"]]
        assert frame["retired"].to_list() == [False]


def test_parquet_is_refused_by_its_footer_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "prompts.parquet"
    pl.DataFrame({"prompt_id": ["a"] * 2000, "prompt": ["x" * 1000] * 2000}).write_parquet(path)
    with pytest.raises(TableError, match="has 2000 rows, more than 1999"):
        read_table(path, PROMPTS, ReadLimits(rows=1999))
    with pytest.raises(TableError, match=r"has \d+ bytes decompressed, more than 100 "):
        read_table(path, PROMPTS, ReadLimits(size=100))
    path = tmp_path / "prompts.jsonl"
    path.write_text('{"prompt_id": "a", "prompt": "x"}\n' * 10)
    with pytest.raises(TableError, match=r"has \d+ bytes, more than 100 "):
        read_table(path, PROMPTS, ReadLimits(size=100))


@pytest.mark.parametrize("names", [("PROMPT_ID", "MODEL", "QUALITY"), ("promptId", "Model", "Quality")])
def test_columns_are_known_in_any_case(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(json.dumps(dict(zip(names, ("a", "m", 0.5), strict=True)) | {"quality_note": "x"}))
    assert read_table(path, OUTCOMES).select("prompt_id", "model", "quality").row(0) == ("a", "m", 0.5)
    # the name as it is documented goes first
    path.write_text(json.dumps({"prompt_id": "a", "model": "m", "Quality": 1, "quality": 0}))
    assert read_table(path, OUTCOMES)["quality"].to_list() == [0]


def test_parts_of_one_may_have_a_comma_or_be_percent(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text("".join(LINE % json.dumps(value) for value in ("0,5", "50 %", "1", "n/a", "12,5%")))
    assert read_table(path, OUTCOMES)["quality"].to_list() == [0.5, 0.5, 1, None, 0.125]
    # what isn't a part of one could be a thousand
    path.write_text('{"prompt_id": "a", "model": "m", "cost_usd": "1,234"}')
    with pytest.raises(TableError, match="'cost_usd' must be a number; row 0 holds '1,234'"):
        read_table(path, OUTCOMES)


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
@pytest.mark.parametrize(
    ("column", "odd", "rest"), [("quality", {"score": 1}, 1), ("quality", [1.0], 0.5), ("cost_usd", {"total": 1}, 0.1)]
)
def test_an_odd_value_empties_no_column_but_is_named(
    tmp_path: Path, suffix: str, column: str, odd: object, rest: float
) -> None:
    rows = [{"prompt_id": "a", "model": "m", column: odd if row == 7 else rest} for row in range(20)]
    path = tmp_path / f"outcomes.{suffix}"
    path.write_text(json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows)))
    with pytest.raises(TableError, match=rf"column '{column}' must be .*; row 7 holds '[\[{{]"):
        read_table(path, OUTCOMES)


def test_nan_in_columns_of_lists_and_texts_is_unknown(tmp_path: Path) -> None:
    rows = [{"prompt_id": "a", "prompt": "x", "requires": ["vision"], "benchmark": float("nan")}]
    rows.append({"prompt_id": "b", "prompt": "y", "requires": float("nan"), "benchmark": float("nan")})
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(rows))
    frame = read_table(path, PROMPTS)
    assert frame["requires"].to_list() == [["vision"], None]
    assert frame["benchmark"].to_list() == [None, None]
    # pandas gives a column without values floats
    path = tmp_path / "prompts.parquet"
    pl.DataFrame({"prompt_id": ["a"], "prompt": ["x"], "requires": [float("nan")]}).write_parquet(path)
    assert read_table(path, PROMPTS)["requires"].to_list() == [None]


def test_lists_as_list_and_as_text_in_one_column(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"m": {"capabilities": ["vision"]}, "n": {"capabilities": "tools,json"}, "o": {}}))
    assert read_table(path, CANDIDATES)["capabilities"].to_list() == [["vision"], ["tools", "json"], None]


def test_a_name_that_is_an_object_is_refused_and_columns_of_others_are_left(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text(LINE % 1 + '{"prompt_id": "b", "model": {"id": "m"}, "quality": 0}\n')
    with pytest.raises(TableError, match=r"column 'model' must be a text or a whole number; row 1 holds '\{\"id"):
        read_table(path, OUTCOMES)
    path.write_text('{"prompt_id": "a", "model": "m", "meta": {"x": 1}}\n{"prompt_id": "b", "model": "m", "meta": 2}\n')
    assert read_table(path, OUTCOMES)["prompt_id"].to_list() == ["a", "b"]


def test_whole_numbers_too_large_for_floats_stay_apart_as_ids(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    rows = ('{"prompt_id": 9007199254740993, "model": "m", "quality": NaN}', '{"prompt_id": 2.0, "model": "m"}')
    path.write_text("\n".join(rows))
    assert read_table(path, OUTCOMES)["prompt_id"].to_list() == ["9007199254740993", "2"]


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_contents_of_parts_beside_contents_of_text_are_read_as_their_text(tmp_path: Path, suffix: str) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    parts = [{"role": "user", "content": [{"type": "text", "text": "What is in this picture?"}, image]}]
    prompts: list[object] = [parts, [{"role": "user", "content": "plain"}]]
    path = tmp_path / f"prompts.{suffix}"
    for extra, texts in (
        ([], []),
        (["a text", "[1, 2] is a list?"], ["a text", "[1, 2] is a list?"]),
        ([json.dumps(parts)], ["What is in this picture?"]),
    ):
        rows = [{"prompt_id": str(row), "prompt": prompt} for row, prompt in enumerate([*prompts, *extra])]
        path.write_text(json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows)))
        assert read_table(path, PROMPTS)["prompt"].to_list() == ["What is in this picture?", "plain", *texts]


def test_an_object_as_prompt_is_a_message_or_blank_and_texts_of_json_stay(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    prompts = ['{"text": "y"}', {"text": "y"}, {"role": "user", "content": "Hello"}, []]
    path.write_text("\n".join(json.dumps({"prompt_id": str(row), "prompt": one}) for row, one in enumerate(prompts)))
    assert read_table(path, PROMPTS)["prompt"].to_list() == ['{"text": "y"}', "", "Hello", ""]


def test_plain_messages_need_no_careful_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("components.tables.reading.frame_of_rows", None)
    path = tmp_path / "prompts.jsonl"
    rows = [{"prompt_id": "a", "prompt": [{"role": "user", "content": "Is [1] a list? \U0001f600"}]}]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert read_table(path, PROMPTS)["prompt"].to_list() == ["Is [1] a list? \U0001f600"]


def test_lists_as_json_text_are_lists(tmp_path: Path) -> None:
    path = tmp_path / "models.parquet"
    written = ['["vision","tools"]', " []", "vision, tools", "none", "", "nan", None]
    expected = [["vision", "tools"], [], ["vision", "tools"], [], [], None, None]
    texts = pl.Series(written)
    for values in (texts, texts.cast(pl.Categorical), texts.cast(pl.Enum(texts.drop_nulls().unique()))):
        pl.DataFrame({"model": [str(row) for row in range(7)], "capabilities": values}).write_parquet(path)
        assert read_table(path, CANDIDATES)["capabilities"].to_list() == expected
    path = tmp_path / "prompts.jsonl"
    rows = [{"prompt_id": "a", "prompt": "x", "requires": needs} for needs in (["vision"], "tools", [], '["json"]')]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert read_table(path, PROMPTS)["requires"].to_list() == [["vision"], ["tools"], [], ["json"]]


@pytest.mark.parametrize("text", ["['vision', 'tools']", "[vision]", "[1]", '["vision", {"x": 1}]', '["vision"'])
def test_a_text_that_begins_like_a_list_and_is_none_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.parquet"
    pl.DataFrame({"model": ["a", "b"], "capabilities": ["tools", text]}).write_parquet(path)
    with pytest.raises(TableError, match=r"column 'capabilities' must be .*; row 1 holds"):
        read_table(path, CANDIDATES)


def test_lists_of_any_flat_type_are_read_and_nested_ones_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.parquet"
    for dtype in (pl.Array(pl.String, 1), pl.List(pl.Categorical), pl.List(pl.String)):
        pl.DataFrame({"model": ["a"], "capabilities": pl.Series([["tools"]], dtype=dtype)}).write_parquet(path)
        assert read_table(path, CANDIDATES)["capabilities"].to_list() == [["tools"]]
    pl.DataFrame({"model": ["a"], "capabilities": [[{"name": "tools"}]]}).write_parquet(path)
    with pytest.raises(TableError, match=r"column 'capabilities' must be a list of texts"):
        read_table(path, CANDIDATES)


def test_categories_are_the_texts_that_they_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.parquet"
    texts = {"prompt_id": ["a"], "model": ["m"], "quality": ["0.5"], "decided_at": ["2026-01-01"]}
    pl.DataFrame(texts).select(pl.all().cast(pl.Categorical)).write_parquet(path)
    frame = read_table(path, OUTCOMES)
    assert frame.select("model", "quality").row(0) == ("m", 0.5)
    assert str(frame["decided_at"][0]) == "2026-01-01 00:00:00"


def test_a_key_that_stands_twice_in_an_object_of_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    path.write_text('{"a": {"input_usd_per_mtok": 1}, "b": {"capabilities": []}, "a": {"input_usd_per_mtok": 9}}')
    with pytest.raises(TableError, match=r"models\.json: model 'a' stands there more than once"):
        read_table(path, CANDIDATES)
    path.write_text('{"a": {"provider": "x"}, "b": {"provider": "x"}}')
    assert read_table(path, CANDIDATES)["model"].to_list() == ["a", "b"]

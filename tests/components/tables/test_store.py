import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from components.tables.schema import CANDIDATES, GRADES, OUTCOMES, PROMPTS
from components.tables.store import (
    TableError,
    Tables,
    file_digest,
    find_table,
    read_table,
    read_tables,
    table_file,
    write_tables,
    write_whole,
)

ROW = {"prompt_id": "a", "model": "m", "quality": 1}


def jsonl(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_round_trip(tables: Tables, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    again = read_tables(tmp_path)
    for schema in (PROMPTS, CANDIDATES, OUTCOMES):
        assert getattr(again, schema.name).equals(getattr(tables, schema.name))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["candidates.parquet", "outcomes.parquet", "prompts.parquet"]


def test_jsonl_gets_the_schema_types_and_absent_columns_are_null(tmp_path: Path) -> None:
    frame = read_table(jsonl(tmp_path / "outcomes.jsonl", ROW, {**ROW, "quality": 0.5}), OUTCOMES)
    assert dict(frame.schema) == OUTCOMES.dtypes
    assert frame["cost_usd"].null_count() == 2


def test_dates_in_text_are_read(tmp_path: Path) -> None:
    row = {"prompt_id": "a", "prompt": "x", "benchmark": "b"}
    path = jsonl(tmp_path / "prompts.jsonl", {**row, "created_on": "2024-05-06"})
    assert read_table(path, PROMPTS)["created_at"].to_list() == [datetime(2024, 5, 6)]
    with pytest.raises(TableError, match=r"'created_on' must be a time like .*; row 0 holds 'May'"):
        read_table(jsonl(path, {**row, "created_on": "May"}), PROMPTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-01T10:00:00Z", datetime(2025, 3, 1, 10)),
        ("2025-03-01T10:00:00.250+02:00", datetime(2025, 3, 1, 8, 0, 0, 250_000)),
        ("2025-03-01 10:00:00-0130", datetime(2025, 3, 1, 11, 30)),
        ("2025-03-01 10:00", datetime(2025, 3, 1, 10)),
        ("2025-03-01T10:00Z", datetime(2025, 3, 1, 10)),
        ("2025-03-01T10:00+02:00", datetime(2025, 3, 1, 8)),
        ("2025-03-01 10:00-0130", datetime(2025, 3, 1, 11, 30)),
        ("2025-03-01 10:00:00.5+00", datetime(2025, 3, 1, 10, 0, 0, 500_000)),
        ("2025-03-01", datetime(2025, 3, 1)),
    ],
)
def test_iso_times_are_read_as_utc(tmp_path: Path, text: str, expected: datetime) -> None:
    path = jsonl(tmp_path / "outcomes.jsonl", {**ROW, "decided_at": text})
    assert read_table(path, OUTCOMES)["decided_at"].to_list() == [expected]


def test_times_of_many_formats_in_one_column(tmp_path: Path) -> None:
    texts = ["2025-03-01T10:00Z", None, "2025-03-01", "NaT", "2025-03-01 10:00:00+01:00", "<NA>", "2025-03-01 10:00"]
    path = jsonl(tmp_path / "outcomes.jsonl", *({**ROW, "decided_at": text} for text in texts))
    hours = [one and one.hour for one in read_table(path, OUTCOMES)["decided_at"]]
    assert hours == [10, None, 0, None, 9, None, 10]


def test_a_date_is_the_day_where_the_time_was_written(tmp_path: Path) -> None:
    path = tmp_path / "models.parquet"
    days = pl.Series([datetime(2025, 3, 1)]).dt.replace_time_zone("Europe/Berlin")
    for values in (days, pl.Series(["2025-03-01T23:00:00-05:00"]), pl.Series(["2025-03-01T00:00+01:00"])):
        pl.DataFrame({"model": ["a"], "release_date": values}).write_parquet(path)
        assert read_table(path, CANDIDATES)["release_date"].to_list() == [date(2025, 3, 1)]
    pl.DataFrame({"model": ["a"], "release_date": ["2025-03-01 and later"]}).write_parquet(path)
    with pytest.raises(TableError, match="'release_date' must be a date like"):
        read_table(path, CANDIDATES)


@pytest.mark.parametrize(
    "ids",
    [
        pl.Series([1, 20, None], dtype=pl.Decimal(38, 0)),
        pl.Series([1, 20, None], dtype=pl.Decimal(10, 2)),
        pl.Series([1.0, 20.0, float("nan")]),
        pl.Series([1.0, 20.0, None], dtype=pl.Float32),
    ],
)
def test_ids_as_decimals_and_floats_are_whole_numbers(tmp_path: Path, ids: pl.Series) -> None:
    path = tmp_path / "outcomes.parquet"
    pl.DataFrame({"prompt_id": ids, "model": ["m"] * 3}).write_parquet(path)
    assert read_table(path, OUTCOMES)["prompt_id"].to_list() == ["1", "20", None]


@pytest.mark.parametrize(("value", "dtype"), [(2.0**53, pl.Float64), ("1.5", pl.Decimal(10, 2)), (1.5, pl.Float64)])
def test_ids_that_are_not_exact_are_refused(tmp_path: Path, value: object, dtype: pl.DataType) -> None:
    path = tmp_path / "outcomes.parquet"
    ids = pl.Series([Decimal(value)] if isinstance(value, str) else [value], dtype=dtype)
    pl.DataFrame({"prompt_id": ids, "model": ["m"]}).write_parquet(path)
    with pytest.raises(TableError, match=r"column 'prompt_id' must be a text or a whole number; row 0 holds"):
        read_table(path, OUTCOMES)


def test_fractions_of_tokens_are_refused_as_decimals_too(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.parquet"
    for last, expected in (("13", [12, 13]), ("13.5", None)):
        tokens = pl.Series([Decimal("12.0"), Decimal(last)], dtype=pl.Decimal(10, 1))
        pl.DataFrame({"prompt_id": ["a", "b"], "model": ["m", "m"], "input_tokens": tokens}).write_parquet(path)
        if expected:
            assert read_table(path, OUTCOMES)["input_tokens"].to_list() == expected
        else:
            with pytest.raises(
                TableError, match=r"'input_tokens' must be a whole number; row 1 holds Decimal\('13.5'\)"
            ):
                read_table(path, OUTCOMES)


def test_whole_numbers_are_no_dates(tmp_path: Path) -> None:
    row = {"prompt_id": "a", "prompt": "x", "created_on": 20_000}
    with pytest.raises(TableError, match=r"'created_on' must be a time like .*, is Int64; row 0 holds 20000"):
        read_table(jsonl(tmp_path / "prompts.jsonl", row), PROMPTS)


def test_missing_folder_and_file(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="nowhere: no such folder"):
        find_table(tmp_path / "nowhere", PROMPTS)
    with pytest.raises(
        TableError, match=r"table 'candidates' is missing \(looked for candidates.parquet, .*models.json"
    ):
        find_table(tmp_path, CANDIDATES)


def test_missing_column(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"outcomes.jsonl: missing column\(s\) \['model'\]; found"):
        read_table(jsonl(tmp_path / "outcomes.jsonl", {"prompt_id": "a", "quality": 1}), OUTCOMES)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("quality", "good", "'quality' must be a number; row 1 holds 'good'"),
        ("quality", [1.0], r"'quality' must be a number; row 1 holds '\[1.0\]'"),
        ("output_tokens", 1.5, "'output_tokens' must be a whole number; row 1 holds 1.5"),
    ],
)
def test_wrong_type(tmp_path: Path, column: str, value: object, message: str) -> None:
    first = {**ROW, column: None} if isinstance(value, list) else ROW
    with pytest.raises(TableError, match=message):
        read_table(jsonl(tmp_path / "outcomes.jsonl", first, {**ROW, column: value}), OUTCOMES)


def test_whole_numbers_are_ids_and_fractions_are_not(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "outcomes.jsonl", {**ROW, "prompt_id": 7})
    assert read_table(path, OUTCOMES)["prompt_id"].to_list() == ["7"]
    with pytest.raises(TableError, match=r"'prompt_id' must be a text or a whole number; row 0 holds 7.5"):
        read_table(jsonl(path, {**ROW, "prompt_id": 7.5}), OUTCOMES)


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_bytes_that_are_not_utf8(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"outcomes.{suffix}"
    path.write_bytes(b'{"prompt_id":"a","model":"m","quality":1}\n{"prompt_id":"\xff","model":"m","quality":1}\n')
    with pytest.raises(TableError, match=f"outcomes.{suffix}: can't be read as {suffix}: line 2, byte 14: not UTF-8"):
        read_table(path, OUTCOMES)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("outcomes.jsonl", b'{"prompt_id":'),
        ("outcomes.jsonl", b""),
        ("outcomes.parquet", b"PAR1 but no more"),
        ("outcomes.jsonl", '{"prompt_id": 1}'.encode("utf-16")),
    ],
)
def test_broken_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=f"{name}: (can't be read as|is UTF-16)"):
        read_table(tmp_path / name, OUTCOMES)


def test_nan_is_unknown_where_null_may_be_and_kept_where_not(tmp_path: Path) -> None:
    nan = float("nan")
    path = tmp_path / "outcomes.parquet"
    pl.DataFrame({**ROW, "quality": [nan], "output_tokens": [nan], "cost_usd": [nan]}).write_parquet(path)
    row = read_table(path, OUTCOMES).row(0, named=True)
    assert (row["quality"], row["output_tokens"], row["cost_usd"]) == (None, None, None)
    path = tmp_path / "grades.parquet"
    pl.DataFrame({"prompt_id": "a", "model": "m", "grader": "g", "kind": "judge", "grade": [nan]}).write_parquet(path)
    assert read_table(path, GRADES)["grade"].is_nan().all()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    write_whole(path, lambda aside: aside.write_text("old"))
    digest = file_digest(path)

    def crash(aside: Path) -> None:
        aside.write_text("half")
        raise RuntimeError("crash")

    with pytest.raises(RuntimeError, match="crash"):
        write_whole(path, crash)
    assert file_digest(path) == digest
    assert list(tmp_path.iterdir()) == [path]


def test_table_file_names_what_is_known(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "outcomes.jsonl", ROW)
    assert table_file(None, OUTCOMES) == "table 'outcomes'"
    assert table_file(tmp_path, OUTCOMES) == str(path)
    assert table_file(tmp_path, PROMPTS) == f"{tmp_path}: table 'prompts'"


def test_grades_and_responses_are_read_where_they_lie_there_and_written_back(tables: Tables, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    row = {"prompt_id": "p0", "model": "small"}
    jsonl(tmp_path / "grades.jsonl", {**row, "grader": "ann", "kind": "person", "grade": 1})
    jsonl(tmp_path / "responses.jsonl", {"promptId": "p0", "MODEL": "small", "response": "four"})
    again = read_tables(tmp_path)
    assert again.grades is not None
    assert again.responses is not None
    write_tables(again, tmp_path / "copy")
    assert read_tables(tmp_path / "copy").grades.equals(again.grades)  # type: ignore[union-attr]
    assert read_tables(tmp_path / "copy").responses.equals(again.responses)  # type: ignore[union-attr]


def test_another_table_of_that_name_is_left_alone(
    tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tables(tables, tmp_path)
    jsonl(tmp_path / "grades.jsonl", {"prompt_id": "p0", "model": "small", "judge": "x", "grade": 1})
    assert read_tables(tmp_path).grades is None
    assert "grades.jsonl is left alone: as a table of grades it lacks grader, kind" in caplog.text


def test_writing_leaves_one_file_of_a_table(tables: Tables, tmp_path: Path) -> None:
    jsonl(tmp_path / "models.jsonl", {"model": "small"})
    jsonl(tmp_path / "prompts.jsonl", {"prompt_id": "p0", "prompt": "x"})
    jsonl(tmp_path / "outcomes.jsonl", {"prompt_id": "p0", "model": "small", "quality": 1})
    read = read_tables(tmp_path)
    write_tables(read, tmp_path, but=(tmp_path / "models.jsonl",))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "candidates.parquet",
        "models.jsonl",
        "outcomes.jsonl.replaced",
        "outcomes.parquet",
        "prompts.jsonl.replaced",
        "prompts.parquet",
    ]
    assert read_tables(tmp_path).outcomes.equals(read.outcomes)

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.tables.casting import cast_frame
from components.tables.costs import cost_agrees
from components.tables.quarantine import QuarantineConfig, quarantine
from components.tables.schema import CANDIDATES, GRADES, OUTCOMES, PROMPTS
from components.tables.store import TableError, Tables, read_tables, write_tables

NAN = float("nan")
LENIENT = QuarantineConfig(max_share=0.1)


def change(tables: Tables, table: str, rows: dict[int, dict[str, object]]) -> Tables:
    """`tables` with some cells of one table replaced."""
    frames = {name: getattr(tables, name) for name in ("prompts", "candidates", "outcomes")}
    cells = frames[table].to_dicts()
    for row, values in rows.items():
        cells[row] |= values
    frames[table] = pl.DataFrame(cells, schema=frames[table].schema)
    return Tables(**frames)


def repeat(tables: Tables, row: int, **values: object) -> Tables:
    """`tables` with one outcome appended again, some of its cells changed."""
    extra = {**tables.outcomes.row(row, named=True), **values}
    outcomes = pl.concat([tables.outcomes, pl.DataFrame([extra], schema=tables.outcomes.schema)])
    return Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=outcomes)


def test_sound_tables_pass_whole(tables: Tables) -> None:
    result = quarantine(tables, QuarantineConfig(max_share=0))
    assert result.rejected.is_empty()
    assert dict(result.rejected.schema) == {"table": pl.String, "row": pl.Int64, "key": pl.String, "reason": pl.String}
    for name in ("prompts", "candidates", "outcomes"):
        assert getattr(result.tables, name).equals(getattr(tables, name))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"quality": NAN}, "quality is not finite"),
        ({"propensity": 0.0}, "propensity is not above 0"),
        ({"propensity": 1.01}, "propensity is above 1"),
        ({"latency_ms": -1.0}, "latency_ms is below 0"),
        ({"quality": float("inf")}, "quality is not finite"),
        ({"quality": 1.5}, "quality is above 1"),
        ({"quality": -0.1}, "quality is below 0"),
        ({"output_tokens": -1, "cost_usd": None}, "output_tokens is below 0"),
        ({"cost_usd": -1.0, "input_tokens": None}, "cost_usd is below 0"),
        ({"prompt_id": "nobody"}, "outcome of an unknown prompt"),
        ({"model": "nobody", "cost_usd": None}, "outcome of an unknown candidate"),
        ({"quality": 2.0, "cost_usd": -1.0}, "quality is above 1; cost_usd is below 0"),
    ],
)
def test_a_faulty_outcome_is_set_aside_with_its_reason(tables: Tables, values: dict[str, object], reason: str) -> None:
    spoilt = change(tables, "outcomes", {4: values})
    result = quarantine(spoilt, LENIENT)
    key = f"{values.get('prompt_id', 'p1')}, {values.get('model', 'middle')}"
    assert result.rejected.rows() == [("outcomes", 4, key, reason)]
    assert result.tables.outcomes.equals(pl.concat([tables.outcomes[:4], tables.outcomes[5:]]))


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (" \n", "prompt is empty"),
        ("\u200b", "prompt is empty"),
        ("\x07\u00ad \u2060\ufeff", "prompt is empty"),
        (None, "prompt is null"),
        ("x" * 1_000_001, "prompt is longer than 1000000 characters"),
    ],
)
def test_a_faulty_prompt_takes_its_outcomes_along(tables: Tables, prompt: str | None, reason: str) -> None:
    result = quarantine(change(tables, "prompts", {2: {"prompt": prompt}}), QuarantineConfig(max_share=0.005))
    assert result.rejected["reason"].to_list() == [reason] + 3 * ["outcome of a quarantined prompt"]
    assert result.rejected["key"].to_list() == ["p2", "p2, small", "p2, middle", "p2, large"]
    assert result.tables.prompts.height == 199
    assert result.tables.outcomes.height == 597


@pytest.mark.parametrize(
    ("table", "column", "outcomes"),
    [("prompts", "benchmark", 3), ("prompts", "prompt_id", 0), ("candidates", "model", 0)],
)
def test_a_name_too_long_for_arrays_of_names_is_set_aside(
    tables: Tables, table: str, column: str, outcomes: int
) -> None:
    longest = change(tables, table, {1: {column: "x" * 500}})
    longer = change(tables, table, {1: {column: "x" * 501}})
    lenient = QuarantineConfig(max_share=1)
    kept = quarantine(longest, lenient)
    assert "longer" not in " ".join(kept.rejected["reason"])
    rejected = quarantine(longer, lenient).rejected
    own = rejected.filter(pl.col("table") == table)
    assert own.select("row", "reason").rows() == [(1, f"{column} is longer than 500 characters")]
    assert (rejected["reason"] == "outcome of a quarantined prompt").sum() == outcomes


def test_identical_duplicates_keep_the_first(tables: Tables) -> None:
    result = quarantine(repeat(tables, 5), LENIENT)
    assert result.rejected.rows() == [
        ("outcomes", 600, "p1, large", "repeats an earlier row of the same prompt_id, model")
    ]
    assert result.tables.outcomes.equals(tables.outcomes)


def test_contradictory_duplicates_all_go(tables: Tables) -> None:
    other = 1 - tables.outcomes["quality"][5] / 2
    result = quarantine(repeat(tables, 5, quality=other), LENIENT)
    assert result.rejected["row"].to_list() == [5, 600]
    assert set(result.rejected["reason"]) == {"contradicts another row of the same prompt_id, model"}


def test_too_many_faults_stop_with_file_rule_and_first_rows(tables: Tables, tmp_path: Path) -> None:
    write_tables(change(tables, "outcomes", {row: {"quality": 1.5} for row in range(3, 13)}), tmp_path)
    with pytest.raises(TableError) as caught:
        quarantine(read_tables(tmp_path), QuarantineConfig(), tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/outcomes.parquet: 10 of 600 rows are faulty, more than the share of 0.01 that may be quarantined "
        "(--most-faulty); rules: quality is above 1 (10); first: row 3 (p1, small): quality is above 1; "
        "row 4 (p1, middle): quality is above 1; row 5 (p1, large): quality is above 1; quality lies in [0, 1.5]: "
        f"if that is another scale, it is read as [0, 1] by pointsman import tables {tmp_path} --scale 0:5 "
        "--data OTHER_FOLDER"
    )


def test_exactly_the_share_is_let_pass(tables: Tables) -> None:
    spoilt = change(tables, "outcomes", {row: {"quality": NAN} for row in range(6)})
    assert quarantine(spoilt, QuarantineConfig(max_share=0.01)).rejected.height == 6


@pytest.mark.parametrize(
    ("cost", "agrees"), [(0.00014, True), (0.000146, True), (0.0002, False), (None, True), (0.0, False)]
)
def test_cost_agrees(cost: float | None, agrees: bool) -> None:
    row = pl.DataFrame(
        {"input_tokens": 100, "output_tokens": 20, "input_usd_per_mtok": 1, "output_usd_per_mtok": 2, "cost_usd": cost},
        schema_overrides={"cost_usd": pl.Float64()},
    )
    assert row.select(cost_agrees(0.05)).item() is agrees


CELLS = st.fixed_dictionaries(
    {
        "quality": st.sampled_from([0.0, 1.0, NAN, None, 2.0, -1.0]),
        "prompt_id": st.sampled_from(["p0", "p1", "", "nobody", None]),
        "cost_usd": st.sampled_from([None, NAN, -1.0]),
    }
)


@settings(max_examples=40, deadline=None)
@given(rows=st.dictionaries(st.integers(0, 8), CELLS, max_size=9))
def test_nothing_is_lost(rows: dict[int, dict[str, object]]) -> None:
    prompts = pl.DataFrame({"prompt_id": ["p0", "p1", "p2"], "prompt": ["a", "b", "c"], "benchmark": ["x", "x", "y"]})
    models = pl.DataFrame({"model": ["s", "m", "l"], "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 1.0})
    outcomes = prompts.select("prompt_id").join(models.select("model"), how="cross").with_columns(quality=pl.lit(0.5))
    tables = Tables(
        prompts=cast_frame(prompts, Path("prompts"), PROMPTS),
        candidates=cast_frame(models, Path("candidates"), CANDIDATES),
        outcomes=cast_frame(outcomes, Path("outcomes"), OUTCOMES),
    )
    spoilt = change(tables, "outcomes", rows)
    result = quarantine(spoilt, QuarantineConfig(max_share=1))
    kept = spoilt.outcomes.with_row_index().filter(~pl.col("index").is_in(result.rejected["row"].to_list()))
    assert result.rejected["row"].is_unique().all()
    assert kept.drop("index").equals(result.tables.outcomes)
    assert result.tables.outcomes["quality"].is_between(0, 1).all()
    assert not result.tables.outcomes.select("prompt_id", "model").is_duplicated().any()


def test_three_faulty_rows_are_let_pass_whatever_their_share(tables: Tables) -> None:
    small = Tables(prompts=tables.prompts[:60], candidates=tables.candidates, outcomes=tables.outcomes[:180])
    spoilt = change(small, "prompts", {row: {"prompt": " "} for row in range(3)})
    assert quarantine(spoilt, QuarantineConfig()).tables.prompts.height == 57
    with pytest.raises(TableError, match=r"4 of 60 rows are faulty, more than the share of 0\.01"):
        quarantine(change(spoilt, "prompts", {9: {"prompt": ""}}), QuarantineConfig())
    with pytest.raises(TableError, match="3 of 60 rows are faulty"):
        quarantine(spoilt, QuarantineConfig(floor_rows=2))


def test_no_more_than_half_of_a_small_table_is_let_pass(tables: Tables) -> None:
    one = change(tables, "candidates", {0: {"context_window": 0}})
    assert quarantine(one, QuarantineConfig()).tables.candidates["model"].to_list() == ["middle", "large"]
    with pytest.raises(TableError, match="2 of 3 rows are faulty"):
        quarantine(change(one, "candidates", {1: {"context_window": 0}}), QuarantineConfig())


@pytest.mark.parametrize(
    ("price", "why"),
    [("unknown", "isn't a number"), (-1.0, "is below 0"), (float("inf"), "is not finite")],
)
def test_a_price_that_is_none_costs_a_candidate_its_price_alone(
    tables: Tables, tmp_path: Path, price: object, why: str
) -> None:
    write_tables(tables, tmp_path)
    rows = tables.candidates.select("model", "input_usd_per_mtok", "output_usd_per_mtok").to_dicts()
    rows[1]["output_usd_per_mtok"] = price
    (tmp_path / "candidates.parquet").unlink()
    (tmp_path / "candidates.json").write_text(json.dumps(rows))
    result = quarantine(read_tables(tmp_path, set_aside=True), QuarantineConfig(), tmp_path)
    assert result.rejected.is_empty()
    assert result.tables.outcomes.equals(tables.outcomes)
    known = result.tables.candidates
    assert known["output_usd_per_mtok"].is_null().to_list() == [False, True, False]
    assert known.drop("output_usd_per_mtok").equals(tables.candidates.drop("output_usd_per_mtok"))
    assert result.notices == (
        f"candidates: the price of 1 is taken as unknown, since it can't be one: middle (output_usd_per_mtok {why})",
    )


def test_prices_that_mostly_cannot_be_read_stop(tables: Tables) -> None:
    spoilt = change(tables, "candidates", {row: {"input_usd_per_mtok": -1.0} for row in range(2)})
    with pytest.raises(TableError, match=r"2 of 3 rows are faulty.*input_usd_per_mtok is below 0 \(2\)"):
        quarantine(spoilt, QuarantineConfig())


def test_grades_on_another_scale_are_told_so(tables: Tables) -> None:
    stars = change(tables, "outcomes", {row: {"quality": float(1 + row % 10)} for row in range(600)})
    with pytest.raises(TableError, match=r"quality lies in \[1, 10\]: .* tables FOLDER --scale 1:10 --data"):
        quarantine(stars, QuarantineConfig())


def test_infinite_grades_tell_no_scale(tables: Tables) -> None:
    infinite = change(tables, "outcomes", {row: {"quality": float("inf")} for row in range(600)})
    with pytest.raises(TableError) as refused:
        quarantine(infinite, QuarantineConfig())
    assert "--scale" not in str(refused.value)


def test_spellings_of_one_name_are_one_candidate(tables: Tables) -> None:
    composed, apart = "modèle", "mode\u0300le"
    named = change(tables, "candidates", {0: {"model": composed}})
    small = tables.outcomes["model"] == "small"
    spelt = tables.outcomes.with_columns(
        model=pl.when(small).then(pl.lit(f" {apart}")).otherwise("model"),
    )
    result = quarantine(Tables(prompts=tables.prompts, candidates=named.candidates, outcomes=spelt), LENIENT)
    assert result.rejected.is_empty()
    assert result.tables.outcomes["model"].unique().sort().to_list() == ["large", "middle", composed]
    assert result.notices == ("outcomes: 200 models written without spaces around and in Unicode NFC",)


def test_cost_away_from_tokens_times_price_is_no_fault(tables: Tables) -> None:
    discounted = Tables(
        prompts=tables.prompts,
        candidates=tables.candidates,
        outcomes=tables.outcomes.with_columns(pl.col("cost_usd") * 0.4),
    )
    assert quarantine(discounted, QuarantineConfig(max_share=0, floor_rows=0)).rejected.is_empty()


def test_grades_are_checked_and_those_of_other_prompts_left_out(tables: Tables) -> None:
    rows = [
        {"prompt_id": "p0", "model": "small", "grader": "ann", "kind": "person", "grade": 0.5},
        {"prompt_id": "p0", "model": "small", "grader": "ann", "kind": "boss", "grade": 0.5},
        {"prompt_id": "p0", "model": "small", "grader": "bob", "kind": "person", "grade": -1.0},
        {"prompt_id": "nobody", "model": "small", "grader": "bob", "kind": "person", "grade": 1.0},
    ]
    grades = cast_frame(pl.DataFrame(rows), Path("grades"), GRADES)
    graded = Tables(**{name: getattr(tables, name) for name in ("prompts", "candidates", "outcomes")}, grades=grades)
    result = quarantine(graded, QuarantineConfig(max_share=1))
    assert result.tables.grades is not None
    assert result.tables.grades.equals(grades[:1])
    assert result.notices == ("grades: 1 rows of answers without an outcome left out",)
    assert result.rejected["reason"].to_list() == [
        "kind is none of person, reference, judge, feedback, preference",
        "grade is below 0",
    ]


def test_config_refuses_bad_values() -> None:
    for values in ({"max_share": 1.5}, {"max_prompt_chars": 0}, {"floor_rows": -1}):
        with pytest.raises(ValueError, match="must be"):
            QuarantineConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["frontier", "mmlu_pro", "llmrouter"])
def test_real_logs_are_sound(shared_data: Path, name: str) -> None:
    assert quarantine(read_tables(shared_data / name), QuarantineConfig(max_share=0)).rejected.is_empty()


def test_cells_that_cannot_be_read_are_set_aside_with_their_reason(tables: Tables, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    rows = tables.outcomes.with_columns(pl.col("quality").cast(pl.String), pl.col("input_tokens").cast(pl.Float64))
    rows[4, "quality"], rows[7, "quality"], rows[7, "input_tokens"] = "error", "", 1.5
    rows.write_parquet(tmp_path / "outcomes.parquet")
    (tmp_path / "grades.jsonl").write_text(
        '{"prompt_id": "nobody", "model": "small", "grader": "ann", "kind": "person", "grade": 1}\n'
        '{"prompt_id": "p0", "model": "small", "grader": "ann", "kind": "person", "grade": {"stars": 4}}\n'
        '{"prompt_id": "p1", "model": "small", "grader": "ann", "kind": "person", "grade": 0}\n'
    )
    with pytest.raises(TableError, match=r"column 'quality' must be a number; row 4 holds 'error'"):
        read_tables(tmp_path)
    read = read_tables(tmp_path, set_aside=True)
    result = quarantine(read, QuarantineConfig(), tmp_path)
    assert result.rejected.rows() == [
        ("outcomes", 4, "p1, middle", "quality isn't a number"),
        ("outcomes", 7, "p2, middle", "input_tokens isn't a whole number"),
        ("grades", 0, "p0, small, ann, person", "grade isn't a number"),
    ]
    assert dict(result.tables.outcomes.schema) == OUTCOMES.dtypes
    assert result.tables.outcomes.height == 598
    assert result.tables.grades is not None
    assert result.tables.grades["grade"].to_list() == [0]
    assert not result.tables.unread


def test_more_unreadable_cells_than_may_be_stop_with_their_reason(tables: Tables, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    tables.outcomes.with_columns(quality=pl.lit("good")).write_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(TableError, match=r"600 of 600 rows are faulty.*rules: quality isn't a number \(600\); first"):
        quarantine(read_tables(tmp_path, set_aside=True), QuarantineConfig(), tmp_path)


def test_a_name_that_is_an_object_is_set_aside(tables: Tables, tmp_path: Path) -> None:
    write_tables(tables, tmp_path)
    rows = tables.outcomes.select("prompt_id", "model", "quality").to_dicts()
    rows[5]["model"] = {"id": "large"}
    (tmp_path / "outcomes.parquet").unlink()
    (tmp_path / "outcomes.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = quarantine(read_tables(tmp_path, set_aside=True), QuarantineConfig(), tmp_path)
    assert result.rejected["row"].to_list() == [5]
    assert "model isn't a text or a whole number" in result.rejected["reason"][0]

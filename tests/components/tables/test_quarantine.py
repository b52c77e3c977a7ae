from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.tables.quarantine import QuarantineConfig, cost_agrees, quarantine
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
        ({"quality": None}, "quality is null"),
        ({"quality": NAN}, "quality is not finite"),
        ({"quality": float("inf")}, "quality is not finite"),
        ({"quality": 1.5}, "quality is above 1"),
        ({"quality": -0.1}, "quality is below 0"),
        ({"output_tokens": -1, "cost_usd": None}, "output_tokens is below 0"),
        ({"cost_usd": -1.0, "input_tokens": None}, "cost_usd is below 0"),
        ({"cost_usd": 1.0}, "cost_usd is not tokens x price"),
        ({"prompt_id": "nobody"}, "outcome of an unknown prompt"),
        ({"model": "nobody", "cost_usd": None}, "outcome of an unknown candidate"),
        ({"quality": 2.0, "cost_usd": 1.0}, "quality is above 1; cost_usd is not tokens x price"),
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
        f"{tmp_path}/outcomes.parquet: 10 of 600 rows are faulty, more than the share of 0.01 that may be quarantined; "
        "rules: quality is above 1 (10); first: row 3 (p1, small): quality is above 1; "
        "row 4 (p1, middle): quality is above 1; row 5 (p1, large): quality is above 1"
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
    null = pl.lit(None)
    tables = Tables(
        prompts=prompts.with_columns(subject=null, language=null, created_on=null),
        candidates=models.with_columns(
            provider=null, release_date=null, context_window=null, price_as_of=null, price_note=null
        ),
        outcomes=outcomes.with_columns(
            input_tokens=null.cast(pl.Int64), output_tokens=null.cast(pl.Int64), cost_usd=null.cast(pl.Float64)
        ).with_columns(graded_by=null),
    )
    spoilt = change(tables, "outcomes", rows)
    result = quarantine(spoilt, QuarantineConfig(max_share=1))
    kept = spoilt.outcomes.with_row_index().filter(~pl.col("index").is_in(result.rejected["row"].to_list()))
    assert result.rejected["row"].is_unique().all()
    assert kept.drop("index").equals(result.tables.outcomes)
    assert result.tables.outcomes["quality"].is_between(0, 1).all()
    assert not result.tables.outcomes.select("prompt_id", "model").is_duplicated().any()


def test_config_refuses_bad_values() -> None:
    for values in ({"max_share": 1.5}, {"max_prompt_chars": 0}, {"cost_tolerance": NAN}):
        with pytest.raises(ValueError, match="must be"):
            QuarantineConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["frontier", "mmlu_pro", "llmrouter"])
def test_real_logs_are_sound(shared_data: Path, name: str) -> None:
    assert quarantine(read_tables(shared_data / name), QuarantineConfig(max_share=0)).rejected.is_empty()

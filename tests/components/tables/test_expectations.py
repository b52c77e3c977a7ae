import logging
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from components.tables.expectations import validate
from components.tables.store import Tables, read_tables, write_tables


def spoil(tables: Tables, table: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Tables:
    frames = {name: getattr(tables, name) for name in ("prompts", "candidates", "outcomes")}
    return Tables(**{**frames, table: change(frames[table])})


def at(column: str, row: int, value: object) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Replaces one cell."""
    return lambda frame: frame.with_columns(
        pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )


def test_sound_tables_pass(tables: Tables, tmp_path: Path) -> None:
    report = validate(tables, tmp_path)
    assert report.success
    assert report.warnings == ()
    assert report.results["passed"].all()
    assert report.results["failed"].sum() == 0
    assert report.results["first"].list.len().sum() == 0
    assert report.results.null_count().sum_horizontal().item() == 0
    assert set(report.results["table"]) == {"prompts", "candidates", "outcomes"}
    assert {"table", "rule", "column", "checked", "failed"} <= set(report.results.columns)
    assert list(tmp_path.iterdir()) == []


def test_the_library_behind_it_tells_nothing(tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    validate(tables, tmp_path)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("great_expectations")] == []


Change = tuple[str, Callable[[pl.DataFrame], pl.DataFrame], str, str]
"""Table to spoil, how, table that the complaint names, complaint."""

CELLS: list[Change] = [
    (
        "outcomes",
        at("quality", 4, 1.5),
        "outcomes",
        "quality: in [0, 1]; broken by 1 rows; first: {quality: 1.5, row: 4",
    ),
    ("outcomes", at("output_tokens", 0, -5), "outcomes", "output_tokens: 0 or more; broken by 1 rows"),
    ("outcomes", at("propensity", 20, 0.0), "outcomes", "propensity: in (0, 1]; broken by 1 rows"),
    (
        "outcomes",
        at("prompt_id", 30, "ghost"),
        "outcomes",
        "outcomes name only prompts of the prompts table; broken by",
    ),
    ("outcomes", at("model", 33, "ghost"), "outcomes", "outcomes name only models of the candidates table; broken by"),
    ("outcomes", lambda f: pl.concat([f, f[50:51]]), "outcomes", "prompt_id, model unique; broken by 2 rows; first: {"),
    ("prompts", at("prompt", 7, " "), "prompts", "prompt: not empty; broken by 1 rows; first: {prompt:  , row: 7, pro"),
    ("prompts", at("prompt_id", 1, "p0"), "prompts", "prompt_id unique; broken by 2 rows"),
    (
        "candidates",
        at("output_usd_per_mtok", 1, -1.0),
        "candidates",
        "output_usd_per_mtok: 0 or more; broken by 1 rows",
    ),
]
TOO_FEW: list[Change] = [
    ("prompts", lambda f: f[:19], "prompts", "at least 20 prompts; found 19"),
    ("candidates", lambda f: f[:1], "candidates", "at least 2 candidates; found 1"),
    ("outcomes", lambda f: f[:0], "outcomes", "at least 1 outcomes; found 0"),
]
USELESS: list[Change] = [
    (
        "outcomes",
        lambda f: f.filter(pl.col("model") == "small").with_columns(quality=pl.lit(1.0)),
        "outcomes",
        "graded outcomes differ; if all are equal, or none is graded, nothing says which answer is worse: keep the bad "
        "ones too, or grade them (pointsman grade); found 1",
    ),
    (
        "outcomes",
        lambda f: f,
        "outcomes",
        "graded outcomes of two candidates or more; with one there is nothing to route: let the gateway explore "
        "(pointsman serve --explore 0.1) or collect answers of others (pointsman collect); found 1",
    ),
]
UNGRADED: list[Change] = [
    (
        "outcomes",
        lambda f: f.with_columns(quality=pl.lit(None, dtype=pl.Float64)),
        "outcomes",
        "(pointsman grade); found 0",
    )
]
HARDLY_GRADED: list[Change] = [
    (
        "outcomes",
        lambda f: f.with_columns(quality=pl.when(pl.int_range(pl.len()) < 12).then("quality")),
        "outcomes",
        "graded outcomes of 20 prompts; with fewer a router can be neither trained nor judged: grade answers "
        "(pointsman grade), or wait for more; found ",
    )
]
CHANGES = {"cells": CELLS, "few": TOO_FEW, "useless": USELESS, "ungraded": UNGRADED, "hardly graded": HARDLY_GRADED}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_broken_rule_names_file_rule_and_first_rows(tables: Tables, tmp_path: Path, changes: list[Change]) -> None:
    for table, change, _, _ in changes:
        tables = spoil(tables, table, change)
    write_tables(tables, tmp_path)
    report = validate(tables, tmp_path)
    assert not report.success
    for _, _, named, message in changes:
        assert re.search(
            re.escape(f"{tmp_path}/{named}.parquet: broken rule: ") + "[^{]*" + re.escape(message), report.complaint
        )


@pytest.mark.parametrize("changes", [CELLS, USELESS], ids=["cells", "useless"])
def test_large_tables_are_counted_whole_though_a_sample_is_shown(
    tables: Tables, tmp_path: Path, changes: list[Change]
) -> None:
    for table, change, _, _ in changes:
        tables = spoil(tables, table, change)
    whole, sampled = validate(tables, tmp_path), validate(tables, tmp_path, most=60)
    counts = ["table", "rule", "column", "severity", "passed", "checked", "failed"]
    assert_frame_equal(sampled.results.select(counts), whole.results.select(counts))
    assert sampled.warnings == whole.warnings
    assert sampled.complaint == whole.complaint


def test_the_first_rows_that_break_a_rule_are_kept(tables: Tables, tmp_path: Path) -> None:
    many = spoil(tables, "outcomes", lambda f: f.with_columns(cost_usd=pl.lit(3.0)))
    (rule,) = validate(many, tmp_path).results.filter(~pl.col("passed")).to_dicts()
    assert rule["failed"] == 600
    assert len(rule["first"]) == 20
    assert "row: 0, prompt_id: p0, model: " in rule["first"][0]


def test_one_answer_a_prompt_is_noted_with_a_count(tables: Tables, tmp_path: Path) -> None:
    single = spoil(tables, "outcomes", lambda frame: frame.filter(pl.int_range(pl.len()) % 4 == 0))
    report = validate(single, tmp_path)
    assert report.success
    assert report.warnings == (
        "prompts: prompts have graded outcomes of two candidates or more; others compare through a model "
        "(not so in 200 of 200)",
    )


def test_costs_away_from_tokens_times_price_are_counted(tables: Tables, tmp_path: Path) -> None:
    dear = spoil(tables, "outcomes", lambda frame: at("cost_usd", 7, 3.0)(at("cost_usd", 20, 3.0)(frame)))
    assert validate(dear, tmp_path).warnings == (
        "outcomes: cost_usd within 5% of tokens x price, where all are known; the cost is believed "
        "(not so in 2 of 600)",
    )


def test_prices_labels_and_some_grades_may_be_unknown(tables: Tables, tmp_path: Path) -> None:
    unknown = spoil(tables, "candidates", at("input_usd_per_mtok", 0, None))
    unknown = spoil(unknown, "prompts", lambda frame: frame.with_columns(benchmark=pl.lit(None, dtype=pl.String)))
    unknown = spoil(unknown, "outcomes", at("quality", 4, None))
    report = validate(unknown, tmp_path)
    assert report.success
    assert report.warnings == ()


def test_a_candidate_that_nobody_tried_only_warns(tables: Tables, tmp_path: Path) -> None:
    untried = spoil(tables, "outcomes", lambda frame: frame.filter(pl.col("model") != "middle"))
    report = validate(untried, tmp_path)
    assert report.success
    assert report.warnings == ("candidates: each candidate has outcomes (not so in 1 of 3)",)


def test_thirty_prompts_and_unknown_costs_are_enough(tables: Tables, tmp_path: Path) -> None:
    unknown = [pl.lit(None).cast(pl.Int64).alias("output_tokens"), pl.lit(None).cast(pl.Float64).alias("cost_usd")]
    few = Tables(
        prompts=tables.prompts[:30],
        candidates=tables.candidates,
        outcomes=tables.outcomes[:90].with_columns(unknown),
    )
    assert validate(few, tmp_path).success


@pytest.mark.parametrize("name", ["frontier", "mmlu_pro", "llmrouter"])
def test_real_logs_pass(shared_data: Path, tmp_path: Path, name: str) -> None:
    report = validate(read_tables(shared_data / name), shared_data / name)
    assert report.success
    assert report.warnings == ()

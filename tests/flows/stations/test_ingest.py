"""Ingesting and validating as stations: what a person finds on the pages about the tables."""

from pathlib import Path

import polars as pl
import pytest

from components.reports.data_pages import data_pages
from components.sources.planted.world import PlantedConfig, write_world
from components.tables.quarantine import QuarantineConfig
from components.tables.store import TableError
from flows.platform.references import reference
from flows.stations.ingest import ingest, notices, pages_of, validate

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def logs(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    folder = tmp_path / "logs"
    write_world(folder, PlantedConfig(prompts=120, seed=0))
    return folder


def spoil(folder, change):
    path = folder / "outcomes.parquet"
    pl.read_parquet(path).with_columns(change).write_parquet(path)


def test_rows_set_aside_and_rules_are_on_their_pages(logs):
    first = pl.int_range(pl.len()) == 0
    spoil(logs, pl.when(first).then(7.0).otherwise(pl.col("quality")).alias("quality"))
    source = reference(logs)
    tables = ingest.fn(logs=source, config=QuarantineConfig())
    pages = data_pages(pages_of(tables=tables, validated=validate.fn(tables=tables, logs=source)))
    assert "quality is above 1" in pages["quarantine.html"]
    assert "Nothing to do: every rule is kept" in pages["validation.html"]


def test_what_goes_with_a_retired_candidate_is_counted(logs):
    path = logs / "candidates.parquet"
    candidates = pl.read_parquet(path)
    candidates.with_columns(retired=pl.int_range(pl.len()) == 0).write_parquet(path)
    source = reference(logs)
    tables = ingest.fn(logs=source, config=QuarantineConfig())
    noticed = notices(tables=tables, validated=validate.fn(tables=tables, logs=source))
    name = candidates["model"][0]
    count = pl.read_parquet(logs / "outcomes.parquet").filter(pl.col("model") == name).height
    assert f"candidates: {name} is retired and left out, its {count} outcomes too" in noticed


def grade_alike(folder, kind):
    """The same grade for every answer, by graders of one kind; the logs have none of their own."""
    spoil(folder, pl.lit(None, pl.Float64).alias("quality"))
    cells = pl.read_parquet(folder / "outcomes.parquet").select("prompt_id", "model")
    cells.with_columns(grader=pl.lit("ann"), kind=pl.lit(kind), grade=0.5).write_parquet(folder / "grades.parquet")


@pytest.mark.parametrize("kind", ["logged", "person", "reference", "judge", "feedback", "preference"])
def test_a_broken_rule_names_the_page_that_lists_its_rows(logs, kind):
    if kind == "logged":
        spoil(logs, pl.lit(0.5).alias("quality"))
    else:
        grade_alike(logs, kind)
    source = reference(logs)
    with pytest.raises(TableError, match=r"graded outcomes differ.*; every rule: (.*validation\.html)$") as stopped:
        validate.fn(tables=ingest.fn(logs=source, config=QuarantineConfig()), logs=source)
    page = Path(str(stopped.value).rpartition("every rule: ")[2])
    assert "rules broken" in page.read_text(encoding="utf-8")

"""Stations 1 to 4: outcome logs to validated tables, embeddings and splits."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from components.grading.believed import believe, fill_quality
from components.learning.evidence import check_propensities
from components.reports.data_pages import VALIDATION, validation_page
from components.reports.shell import write_pages
from components.sources.planted.world import PlantedConfig, write_world
from components.tables.board import to_board
from components.tables.quarantine import QuarantineConfig, quarantine
from components.tables.retired import without_retired
from components.tables.splits import SplitConfig, split
from components.tables.store import TableError, read_tables, write_parquet, write_tables
from flows.platform import paths
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.frozen_test import split_before

_NOTICES, _RULES = "notices.parquet", "validation.parquet"


@cached_task(name="ingest: simulated logs")
def generate(config: PlantedConfig) -> DataRef:
    """The simulated default logs."""
    return keep("generate", lambda folder: write_world(folder, config))


@cached_task(name="ingest")
def ingest(*, logs: DataRef, config: QuarantineConfig) -> DataRef:
    """Typed tables, and beside them the rows that can't be used, each with its reason, and what was mended."""
    accepted = quarantine(read_tables(logs.path, set_aside=True), config, logs.path)
    sound, retired = without_retired(accepted.tables)
    count = dict(accepted.tables.outcomes.group_by("model").len().iter_rows())
    left_out = (
        f"candidates: {name} is retired and left out, its {count.get(name, 0)} outcomes too" for name in retired
    )
    noticed = [*accepted.notices, *left_out]
    if sound.grades is not None:
        believed = believe(sound.grades).quality
        sound = replace(sound, outcomes=fill_quality(sound, believed, sound.grades))

    def write(folder: Path) -> None:
        write_tables(sound, folder)
        write_parquet(accepted.rejected, folder / "quarantine.parquet")
        write_parquet(pl.DataFrame({"notice": noticed}, schema={"notice": pl.String}), folder / _NOTICES)

    return keep("ingest", write)


@cached_task(name="validate")
def validate(*, tables: DataRef, logs: DataRef) -> DataRef:
    """What the rules said of the tables; a broken one stops the run, with a page that lists the rows."""
    from components.tables.expectations import validate as expect  # noqa: PLC0415  # seconds of Great Expectations

    frames = read_tables(tables.path)
    report = expect(frames, logs.path)
    if report.complaint:
        page = validation_page(report.results.to_dicts())
        folder = write_pages(paths.reports() / f"validation-{tables.digest[:12]}", {VALIDATION: page})
        raise TableError(f"{report.complaint}; every rule: {folder / VALIDATION}")
    # now rather than after the prompts are embedded
    check_propensities(to_board(frames))

    def write(folder: Path) -> None:
        write_parquet(report.results, folder / _RULES)
        write_parquet(pl.DataFrame({"notice": report.warnings}, schema={"notice": pl.String}), folder / _NOTICES)

    return keep("validate", write)


def pages_of(*, tables: DataRef, validated: DataRef) -> dict[str, object]:
    """What a report's pages about its tables show."""
    return {
        "rules": pl.read_parquet(validated.file(_RULES)).to_dicts(),
        "notices": notices(tables=tables, validated=validated),
        "set_aside": pl.read_parquet(tables.file("quarantine.parquet")).to_dicts(),
    }


def notices(*, tables: DataRef, validated: DataRef) -> list[str]:
    """What a person should know of the logs though it doesn't stop a run: each line with a count."""
    reasons = (
        pl.read_parquet(tables.file("quarantine.parquet")).group_by("table", "reason").len().sort("table", "reason")
    )
    mended, noticed = (pl.read_parquet(stage.file(_NOTICES))["notice"].to_list() for stage in (tables, validated))
    return [
        *(f"{table}: {count} rows set aside: {reason}" for table, reason, count in reasons.rows()),
        *mended,
        *noticed,
    ]


@cached_task(name="split")
def divide(*, tables: DataRef, embedded: DataRef, frozen: DataRef | None, config: SplitConfig) -> DataRef:
    """Train, validation and test, near-duplicates together; prompts once tested stay in test."""
    held, learnt = split_before(frozen)
    splits = split(read_tables(tables.path), np.load(embedded.file("embedding.npy")), config, held, learnt)
    return keep("divide", lambda folder: write_parquet(splits, folder / "splits.parquet"))

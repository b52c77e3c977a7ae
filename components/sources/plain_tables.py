"""Tables as this product has them, on another scale or under other names of models."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from components.sources.call import Call, Read, ReadOptions, each
from components.sources.fields import plain, quality_of
from components.sources.files import Record
from components.tables.casting import cast_cells
from components.tables.reading import read_frame
from components.tables.schema import OUTCOMES, PROMPTS
from components.tables.store import find_table, read_table

_SHARED = ("prompt_id", "benchmark", "subject", "language", "conversation_id", "reference")


def read_tables_folder(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Folders with prompts and outcomes; prices are taken from the candidates there."""
    for folder in dict.fromkeys(path if path.is_dir() else path.parent for path in paths):
        yield from each(_rows(folder, options), partial(_call, options=options))


def _rows(folder: Path, options: ReadOptions) -> Iterator[Record]:
    prompts = read_table(find_table(folder, PROMPTS), PROMPTS, conversation=options.conversation)
    path = find_table(folder, OUTCOMES)
    outcomes, lost = cast_cells(read_frame(path, OUTCOMES), path, OUTCOMES)
    outcomes = outcomes.with_columns(unread=_unread(lost, outcomes.height))
    known = prompts.select(*_SHARED, "prompt", "created_at", "requires", there=pl.lit(True)).unique(
        "prompt_id", keep="first"
    )
    joined = outcomes.join(known, on="prompt_id", how="left", maintain_order="left")
    for number, row in enumerate(joined.iter_rows(named=True), start=1):
        blank = not (row["prompt"] or "").strip()
        unknown = "outcome of an unknown prompt" if row["there"] is None else "the prompt is empty" if blank else None
        error = row["unread"] or unknown
        yield Record(path=path, number=number, content=row["prompt_id"] if error else row, error=error)


def _unread(lost: pl.DataFrame, rows: int) -> pl.Series:
    """Why a row can't be read, null where it can, of a column of truth for each reason."""
    if not lost.width:
        return pl.Series([None] * rows, dtype=pl.String)
    reasons = [pl.when(pl.col(reason)).then(pl.lit(reason)) for reason in lost.columns]
    joined = pl.concat_str(reasons, separator="; ", ignore_nulls=True)
    return lost.select(pl.when(joined != "").then(joined)).to_series()


def _call(row: dict[str, Any], _: Path, *, options: ReadOptions) -> Call:
    same = (
        "model",
        "graded_by",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "latency_ms",
        "propensity",
        "decision_id",
    )
    return Call(
        **plain(row["prompt"]) | {name: row[name] for name in (*_SHARED, *same)},
        requires=tuple(row["requires"] or ()),
        created_at=row["decided_at"] or row["created_at"],
        quality=quality_of(row["quality"], options),
    )

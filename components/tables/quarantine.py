"""Faulty rows are set aside with a reason; too many of them stop the run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS, TableSchema
from components.tables.store import TableError, Tables, table_file

COST_TOLERANCE = 0.05
_REJECTED = {"table": pl.String(), "row": pl.Int64(), "key": pl.String(), "reason": pl.String()}
_SHOWN = 3
_CONSEQUENCE = "of a quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineConfig:
    """How much may be set aside before the run stops, and the limits of a sound row."""

    max_share: float = 0.01
    """Largest share of faulty rows in any one table, in [0, 1]."""
    max_prompt_chars: int = 1_000_000
    cost_tolerance: float = COST_TOLERANCE
    """Largest relative gap between a logged cost and tokens x price (caching discounts and rounding make some)."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_share <= 1:
            raise ValueError(f"max_share must be in [0, 1], got {self.max_share}")
        if self.max_prompt_chars < 1:
            raise ValueError(f"max_prompt_chars must be at least 1, got {self.max_prompt_chars}")
        if not (self.cost_tolerance >= 0 and math.isfinite(self.cost_tolerance)):
            raise ValueError(f"cost_tolerance must be finite and >= 0, got {self.cost_tolerance}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """The sound rows, and those set aside: `table`, `row` (from 0, as read), `key`, `reason`."""

    tables: Tables
    rejected: pl.DataFrame


def quarantine(tables: Tables, config: QuarantineConfig, folder: Path | None = None) -> Quarantined:
    """Parts sound rows from faulty ones; every row of the input is in exactly one of the two.

    Of rows that repeat a key, identical ones keep the first; contradictory ones are all set aside, for none can be
    trusted. Outcomes whose prompt or candidate was set aside go with it, but don't count towards `max_share`.

    Args:
        tables: tables as read.
        config: limits.
        folder: where they were read, to name files in messages.

    Raises:
        TableError: more than `max_share` of a table's rows is faulty.
    """
    prompts, rejected_prompts = _part(tables.prompts, PROMPTS, tuple(_prompt_rules(config)), config, folder)
    candidates, rejected_candidates = _part(tables.candidates, CANDIDATES, (), config, folder)
    rules = (
        *_reference_rules("prompt_id", "prompt", tables.prompts, prompts),
        *_reference_rules("model", "candidate", tables.candidates, candidates),
        ("cost_usd is not tokens x price", ~cost_agrees(config.cost_tolerance)),
    )
    prices = candidates.select("model", "input_usd_per_mtok", "output_usd_per_mtok")
    priced = tables.outcomes.join(prices.unique("model"), on="model", how="left", maintain_order="left")
    outcomes, rejected_outcomes = _part(priced, OUTCOMES, rules, config, folder)
    return Quarantined(
        tables=Tables(prompts=prompts, candidates=candidates, outcomes=outcomes),
        rejected=pl.concat([rejected_prompts, rejected_candidates, rejected_outcomes]),
    )


def cost_agrees(tolerance: float) -> pl.Expr:
    """Whether `cost_usd` is tokens x price within a relative tolerance; true where one of them isn't known.

    Half a micro-dollar is let pass besides: logs round to the sixth decimal.
    """
    input_usd = pl.col("input_tokens") * pl.col("input_usd_per_mtok")
    expected = (input_usd + pl.col("output_tokens") * pl.col("output_usd_per_mtok")) / 1e6
    return ((pl.col("cost_usd") - expected).abs() <= tolerance * expected + 5e-7).fill_null(True)


def _column_rules(schema: TableSchema) -> Iterator[tuple[str, pl.Expr]]:
    for column in schema.columns:
        value = pl.col(column.name)
        if not column.nullable:
            yield f"{column.name} is null", value.is_null()
        if column.dtype.is_float():
            yield f"{column.name} is not finite", ~value.is_finite()
        if column.non_empty:
            yield f"{column.name} is empty", value.str.strip_chars() == ""
        if column.minimum is not None:
            yield f"{column.name} is below {column.minimum:g}", value.is_finite() & (value < column.minimum)
        if column.maximum is not None:
            yield f"{column.name} is above {column.maximum:g}", value.is_finite() & (value > column.maximum)


def _prompt_rules(config: QuarantineConfig) -> Iterator[tuple[str, pl.Expr]]:
    yield (
        f"prompt is longer than {config.max_prompt_chars} characters",
        (pl.col("prompt").str.len_chars() > config.max_prompt_chars),
    )


def _reference_rules(column: str, name: str, read: pl.DataFrame, kept: pl.DataFrame) -> Iterator[tuple[str, pl.Expr]]:
    known = pl.col(column).is_in(read[column].drop_nulls().unique().to_list())
    yield f"outcome of an unknown {name}", ~known
    yield f"outcome {_CONSEQUENCE} {name}", known & ~pl.col(column).is_in(kept[column].to_list())


def _duplicate_rules(schema: TableSchema) -> Iterator[tuple[str, pl.Expr]]:
    key = pl.struct(schema.key)
    row = pl.struct(column.name for column in schema.columns)
    variants = row.n_unique().over(schema.key)
    yield f"contradicts another row of the same {', '.join(schema.key)}", key.is_duplicated() & (variants > 1)
    yield f"repeats an earlier row of the same {', '.join(schema.key)}", ~key.is_first_distinct() & (variants == 1)


def _part(
    frame: pl.DataFrame,
    schema: TableSchema,
    rules: tuple[tuple[str, pl.Expr], ...],
    config: QuarantineConfig,
    folder: Path | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sound rows with the schema's columns only, and the rejected ones."""
    every = (*_column_rules(schema), *rules, *_duplicate_rules(schema))
    # null compares as null: a missing value breaks only the rule on missing values.
    broken = frame.select(broken.fill_null(False).alias(reason) for reason, broken in every)
    reasons = pl.concat_str(
        [pl.when(pl.col(reason)).then(pl.lit(reason)) for reason in broken.columns], separator="; ", ignore_nulls=True
    )
    marked = pl.DataFrame(
        {
            "table": pl.repeat(schema.name, frame.height, eager=True, dtype=pl.String()),
            "row": pl.int_range(frame.height, dtype=pl.Int64(), eager=True),
            "key": frame.select(pl.concat_str(pl.col(schema.key).fill_null("null"), separator=", ")).to_series(),
            "reason": broken.select(reasons).to_series(),
        },
        schema=_REJECTED,
    )
    rejected = marked.filter(pl.col("reason") != "")
    own = [reason for reason in broken.columns if _CONSEQUENCE not in reason]
    faulty = broken.select(pl.any_horizontal(own)).to_series()
    if faulty.sum() > config.max_share * frame.height:
        _stop(marked.filter(faulty), frame.height, schema, config, folder)
    return frame.filter(marked["reason"] == "").select(list(schema.dtypes)), rejected


def _stop(
    faulty: pl.DataFrame, height: int, schema: TableSchema, config: QuarantineConfig, folder: Path | None
) -> None:
    counts = faulty.group_by("reason").len().sort("len", "reason", descending=[True, False])
    rules = ", ".join(f"{reason} ({count})" for reason, count in counts.head(_SHOWN).iter_rows())
    first = "; ".join(
        f"row {row} ({key[:80]}): {reason}"
        for row, key, reason in faulty.select("row", "key", "reason").head(_SHOWN).iter_rows()
    )
    raise TableError(
        f"{table_file(folder, schema)}: {faulty.height} of {height} rows are faulty, more than the share of "
        f"{config.max_share:g} that may be quarantined; rules: {rules}; first: {first}"
    )

"""Faulty rows are set aside with a reason; too many of them stop the run."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from components.tables.casting import unread_reason
from components.tables.listing import listed
from components.tables.schema import (
    CANDIDATES,
    GRADES,
    OUTCOMES,
    PRICES,
    PROMPTS,
    RESPONSES,
    SCHEMAS,
    VISIBLE,
    Column,
    TableSchema,
)
from components.tables.store import TableError, Tables, table_file

_REJECTED = {"table": pl.String(), "row": pl.Int64(), "key": pl.String(), "reason": pl.String()}
_SHOWN = 3
_CONSEQUENCE = "of a quarantined"
_SCALES = ((0.0, 1.0), (1.0, 5.0), (0.0, 5.0), (1.0, 10.0), (0.0, 10.0), (0.0, 100.0), (-1.0, 1.0))
"""Scales that people grade on, the narrower first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineConfig:
    """How much may be set aside before the run stops, and the limits of a sound row."""

    max_share: float = 0.01
    """Largest share of faulty rows in any one table, in [0, 1]."""
    floor_rows: int = 3
    """So many faulty rows are let pass whatever their share, up to half of a table, >= 0."""
    max_prompt_chars: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0 <= self.max_share <= 1:
            raise ValueError(f"max_share must be in [0, 1], got {self.max_share}")
        if self.floor_rows < 0:
            raise ValueError(f"floor_rows must be >= 0, got {self.floor_rows}")
        if self.max_prompt_chars < 1:
            raise ValueError(f"max_prompt_chars must be at least 1, got {self.max_prompt_chars}")

    def most(self, rows: int) -> float:
        """Largest number of faulty rows that is let pass in a table of `rows` rows."""
        return max(self.max_share * rows, min(self.floor_rows, rows // 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """The sound rows, and those set aside: `table`, `row` (from 0, as read), `key`, `reason`."""

    tables: Tables
    rejected: pl.DataFrame
    notices: tuple[str, ...] = ()
    """What was mended in passing, each with a count."""


def quarantine(tables: Tables, config: QuarantineConfig, folder: Path | None = None) -> Quarantined:
    """Parts sound rows from faulty ones; every row of the input is in exactly one of the two.

    Of rows that repeat a key, identical ones keep the first; contradictory ones are all set aside, for none can be
    trusted. Rows whose prompt or candidate was set aside go with it, but don't count towards `max_share`. Names of
    models and prompts are compared after Unicode NFC and without surrounding spaces. A price that can't be one is null,
    unless so many are that they would stop the run as faulty rows.

    Args:
        tables: tables as read.
        config: limits.
        folder: where they were read, to name files in messages.

    Raises:
        TableError: more than `max_share` of a table's rows is faulty (and more than `floor_rows`).
    """
    tables, notices = _with_plain_names(_marked(tables))
    tables, unpriced = _without_odd_prices(tables, config)
    notices += unpriced
    prompts, rejected_prompts = _part(tables.prompts, PROMPTS, tuple(_prompt_rules(config)), config, folder)
    candidates, rejected_candidates = _part(tables.candidates, CANDIDATES, (), config, folder)
    rules = (
        *_reference_rules("prompt_id", "prompt", tables.prompts, prompts),
        *_reference_rules("model", "candidate", tables.candidates, candidates),
    )
    outcomes, rejected_outcomes = _part(tables.outcomes, OUTCOMES, rules, config, folder)
    kept = replace(
        tables, prompts=prompts, candidates=candidates, outcomes=outcomes, grades=None, responses=None, unread={}
    )
    rejected = [rejected_prompts, rejected_candidates, rejected_outcomes]
    for schema in (GRADES, RESPONSES):
        frame: pl.DataFrame | None = getattr(tables, schema.name)
        if frame is not None:
            # grades may cover more prompts than a log does
            known = _of_known(frame, tables)
            if known.height < frame.height:
                notices += (
                    f"{schema.name}: {frame.height - known.height} rows of answers without an outcome left out",
                )
            sound, faulty = _part(known, schema, rules, config, folder)
            kept = kept.having(schema, sound)
            rejected.append(faulty)
    return Quarantined(tables=kept, rejected=pl.concat(rejected), notices=notices)


def _marked(tables: Tables) -> Tables:
    """The tables with a column more for each reason why cells of theirs couldn't be read."""
    for schema in (*SCHEMAS, GRADES, RESPONSES):
        if schema.name in tables.unread:
            tables = tables.having(schema, getattr(tables, schema.name).hstack(tables.unread[schema.name]))
    return tables


def _of_known(frame: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    known = tables.outcomes.select("prompt_id", "model").unique()
    return frame.join(known, on=["prompt_id", "model"], how="semi", maintain_order="left")


def _with_plain_names(tables: Tables) -> tuple[Tables, tuple[str, ...]]:
    """'m1 ' and 'm1', or two Unicode spellings of one name, are one candidate."""
    notices = []
    for schema in (*SCHEMAS, GRADES, RESPONSES):
        frame: pl.DataFrame | None = getattr(tables, schema.name)
        if frame is None:
            continue
        for name in (column.name for column in schema.columns if column.name_of):
            plain = frame[name].str.normalize("NFC").str.strip_chars()
            changed = int((plain != frame[name]).sum())
            if changed:
                frame = frame.with_columns(plain)
                notices.append(f"{schema.name}: {changed} {name}s written without spaces around and in Unicode NFC")
        tables = tables.having(schema, frame)
    return tables, tuple(notices)


def _without_odd_prices(tables: Tables, config: QuarantineConfig) -> tuple[Tables, tuple[str, ...]]:
    """A candidate without a price is judged on quality: no reason to lose it with all of its outcomes."""
    frame, prices = tables.candidates, [column for column in CANDIDATES.columns if column.name in PRICES]
    broken = {
        column.name: frame.select(
            broken.fill_null(False).alias(reason) for reason, broken in _column_rules((column,), frame.columns)
        )
        for column in prices
    }
    odd = pl.DataFrame({name: found.select(pl.any_horizontal(pl.all())).to_series() for name, found in broken.items()})
    rows = odd.select(pl.any_horizontal(pl.all())).to_series()
    if not 0 < rows.sum() <= config.most(frame.height):
        return tables, ()
    reasons = pl.concat(broken.values(), how="horizontal")
    said = [
        f"{frame['model'][row]} ({', '.join(reason for reason in reasons.columns if reasons[reason][row])})"
        for row in rows.arg_true()
    ]
    kept = frame.with_columns(pl.when(~odd[name]).then(pl.col(name)).alias(name) for name in odd.columns).drop(
        *map(unread_reason, prices), strict=False
    )
    notice = f"candidates: the price of {len(said)} is taken as unknown, since it can't be one: {listed(said)}"
    return tables.having(CANDIDATES, kept), (notice,)


def _column_rules(columns: Collection[Column], marks: Collection[str]) -> Iterator[tuple[str, pl.Expr]]:
    for column in columns:
        value, unread = pl.col(column.name), unread_reason(column)
        if unread in marks:
            yield unread, pl.col(unread)
        if not column.nullable:
            yield f"{column.name} is null", value.is_null() & ~(pl.col(unread) if unread in marks else pl.lit(False))
        if column.non_empty:
            yield f"{column.name} is empty", ~value.str.contains(VISIBLE)
        if column.longest is not None:
            yield f"{column.name} is longer than {column.longest} characters", value.str.len_chars() > column.longest
        if column.values:
            yield f"{column.name} is none of {', '.join(column.values)}", ~value.is_in(column.values)
        yield from _number_rules(column, value)


def _number_rules(column: Column, value: pl.Expr) -> Iterator[tuple[str, pl.Expr]]:
    if column.dtype.is_float():
        yield f"{column.name} is not finite", ~value.is_finite()
    if column.minimum is not None:
        yield f"{column.name} is below {column.minimum:g}", value.is_finite() & (value < column.minimum)
    if column.above is not None:
        yield f"{column.name} is not above {column.above:g}", value.is_finite() & (value <= column.above)
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
    row = pl.struct(
        pl.col(column.name).list.join("\0") if isinstance(column.dtype, pl.List) else pl.col(column.name)
        for column in schema.columns
    )
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
    every = (*_column_rules(schema.columns, frame.columns), *rules, *_duplicate_rules(schema))
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
    if faulty.sum() > config.most(frame.height):
        _stop(marked.filter(faulty), frame, schema, config, folder)
    return frame.filter(marked["reason"] == "").select(list(schema.dtypes)), rejected


def _stop(
    faulty: pl.DataFrame, frame: pl.DataFrame, schema: TableSchema, config: QuarantineConfig, folder: Path | None
) -> None:
    counts = faulty.group_by("reason").len().sort("len", "reason", descending=[True, False])
    rules = ", ".join(f"{reason} ({count})" for reason, count in counts.head(_SHOWN).iter_rows())
    first = "; ".join(
        f"row {row} ({key[:80]}): {reason}"
        for row, key, reason in faulty.select("row", "key", "reason").head(_SHOWN).iter_rows()
    )
    raise TableError(
        f"{table_file(folder, schema)}: {faulty.height} of {frame.height} rows are faulty, more than the share of "
        f"{config.max_share:g} that may be quarantined (--most-faulty); rules: {rules}; first: {first}"
        f"{_scale_hint(frame, schema, folder)}"
    )


def _scale_hint(frame: pl.DataFrame, schema: TableSchema, folder: Path | None) -> str:
    """Grades of 1 to 10 or percent: which range was found, and how it is told."""
    name = {"outcomes": "quality", "grades": "grade"}.get(schema.name)
    values = frame.filter(pl.col(name).is_finite())[name] if name else pl.Series(dtype=pl.Float64)
    low, high = values.min(), values.max()
    if not isinstance(low, float) or not isinstance(high, float) or (low >= 0 and high <= 1):
        return ""
    scale = scale_of(low, high)
    return (
        f"; {name} lies in [{low:g}, {high:g}]: if that is another scale, it is read as [0, 1] by "
        f"pointsman import tables {folder or 'FOLDER'} --scale {scale[0]:g}:{scale[1]:g} --data OTHER_FOLDER"
    )


def scale_of(low: float, high: float) -> tuple[float, float]:
    """The narrowest common scale that holds a range; the range itself where none does.

    >>> scale_of(1, 7.5), scale_of(0, 88), scale_of(-3, 809)
    ((1.0, 10.0), (0.0, 100.0), (-3, 809))
    """
    return next(((start, end) for start, end in _SCALES if start <= low and high <= end), (low, high))

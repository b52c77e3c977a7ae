"""What is to be asked, on disk before the first call: a run that was killed goes on with the same cells."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from components.asking.journal import Journal
from components.asking.question import Question
from components.collecting.inclusion import either
from components.tables.schema import OUTCOMES, RESPONSES
from components.tables.store import write_parquet

PLAN = {
    "key": pl.String(),
    "prompt_id": pl.String(),
    "model": pl.String(),
    "inclusion": pl.Float64(),
    "before": pl.Float64(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Rows for the tables."""

    outcomes: pl.DataFrame
    """Without quality: that is for graders."""
    responses: pl.DataFrame
    propensity: pl.DataFrame
    """prompt_id, model, propensity: of these rows, and of earlier ones that the purchase could have asked as well."""


def question_of(prompt: str, model: str, max_output_tokens: int) -> Question:
    """A prompt as a candidate is asked it."""
    return Question(model=model, messages=(("user", prompt),), max_output_tokens=max_output_tokens)


def write_plan(path: Path, cells: pl.DataFrame) -> None:
    """Keeps the plan, whole or not at all.

    Args:
        path: of the file.
        cells: key, prompt_id, model, inclusion (chance to be drawn), before (chance to be there anyway), in the order
            in which they are asked; those with a null key are there already.
    """
    write_parquet(cells.select(list(PLAN)).cast(PLAN), path)  # type: ignore[arg-type]


def read_plan(path: Path) -> pl.DataFrame:
    """The plan that was kept last; empty where there is none."""
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=PLAN)


def collected(plan: pl.DataFrame, journal: Journal) -> Collected:
    """Everything of the plan that was answered.

    Where a purchase ended early the cells asked are a random part of the plan: their chances to be drawn are the plan's
    times that part. What was there before had the same chances.

    Args:
        plan: see `write_plan`.
        journal: of the purchase.
    """
    asked = plan.drop_nulls("key")
    found = asked.filter(pl.col("key").is_in(list(journal.answers)))
    part = found.height / asked.height if asked.height else 1.0
    answers = [journal.answers[key] for key in found["key"]]
    chance = pl.Series(either(plan["before"].to_numpy(), plan["inclusion"].to_numpy() * part), dtype=pl.Float64)
    # a purchase that brought nothing changes no chance
    counts = (pl.col("key").is_null() & bool(found.height)) | pl.col("key").is_in(found["key"].to_list())
    there = plan.with_columns(chance.alias("propensity")).filter(counts.fill_null(bool(found.height)))
    known = found.select(
        "prompt_id",
        "model",
        pl.Series("input_tokens", [a.input_tokens for a in answers], dtype=pl.Int64),
        pl.Series("output_tokens", [a.output_tokens for a in answers], dtype=pl.Int64),
        pl.Series("cost_usd", [a.cost_usd for a in answers], dtype=pl.Float64),
        pl.Series("latency_ms", [a.latency_ms for a in answers], dtype=pl.Float64),
        pl.lit(datetime.now(UTC).replace(tzinfo=None)).alias("decided_at"),
        pl.Series("response", [a.text for a in answers], dtype=pl.String),
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in OUTCOMES.dtypes.items() if name not in known.columns]
    outcomes = known.with_columns(missing).select(list(OUTCOMES.dtypes)).cast(OUTCOMES.dtypes)  # type: ignore[arg-type]
    propensity = there.select("prompt_id", "model", "propensity")
    return Collected(
        outcomes=with_propensity(outcomes, propensity),
        responses=known.select(list(RESPONSES.dtypes)),
        propensity=propensity,
    )


def with_propensity(outcomes: pl.DataFrame, propensity: pl.DataFrame) -> pl.DataFrame:
    """Outcomes with the chances that are given, and their own elsewhere."""
    new = propensity.rename({"propensity": "new"})
    joined = outcomes.join(new, on=["prompt_id", "model"], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("new", "propensity").alias("propensity")).drop("new")


def append(old: pl.DataFrame | None, new: pl.DataFrame) -> pl.DataFrame:
    """Rows of `new` whose (prompt_id, model) is new, after all of `old`."""
    if old is None:
        return new
    return pl.concat([old, new.join(old, on=["prompt_id", "model"], how="anti")])

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
    "asked_for": pl.String(),
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


def write_plan(path: Path, cells: pl.DataFrame, asked_for: str = "") -> None:
    """Keeps the plan, whole or not at all.

    Args:
        path: of the file.
        cells: key, prompt_id, model, inclusion (chance to be drawn), before (chance to be there anyway), in the order
            in which they are asked; those with a null key are there already.
        asked_for: what was asked for when it was made, see `read_plan`.
    """
    kept = cells.with_columns(pl.lit(asked_for, pl.String).alias("asked_for"))
    write_parquet(kept.select(list(PLAN)).cast(PLAN), path)  # type: ignore[arg-type]


def read_plan(path: Path) -> pl.DataFrame:
    """The plan that was kept last, with what it was `asked_for` in each row; empty where there is none."""
    if not path.is_file():
        return pl.DataFrame(schema=PLAN)
    kept = pl.read_parquet(path)
    # plans of earlier versions don't say
    return kept if "asked_for" in kept.columns else kept.with_columns(pl.lit("", pl.String).alias("asked_for"))


def goes_on(kept: pl.DataFrame, prompts: pl.DataFrame, asked_for: str, max_output_tokens: int) -> bool:
    """Whether a kept plan is what is asked for now, call for call: the same candidates, prompts and length.

    Args:
        kept: see `read_plan`.
        prompts: prompt_id, prompt, as they are now.
        asked_for: what is asked for now.
        max_output_tokens: where answers are cut now.
    """
    if kept.is_empty() or set(kept["asked_for"]) != {asked_for}:
        return False
    cells = kept.drop_nulls("key").join(prompts, on="prompt_id", how="inner").select("prompt", "model", "key")
    return all(question_of(prompt, model, max_output_tokens).key == key for prompt, model, key in cells.iter_rows())


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

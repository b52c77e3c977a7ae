"""Calls of a log into the tables: repeated samples averaged, prompts told apart, prices and names looked at."""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields

import polars as pl

from components.sources.call import Call
from components.tables.casting import shaped
from components.tables.schema import GRADES, OUTCOMES, PROMPTS, RESPONSES, TIME

CALLS: dict[str, pl.DataType] = {
    "call_id": pl.String(),
    "prompt_id": pl.String(),
    "model": pl.String(),
    "quality": pl.Float64(),
    "graded_by": pl.String(),
    "input_tokens": pl.Int64(),
    "cached_tokens": pl.Int64(),
    "output_tokens": pl.Int64(),
    "cost_usd": pl.Float64(),
    "latency_ms": pl.Float64(),
    "propensity": pl.Float64(),
    "decided_at": TIME,
    "decision_id": pl.String(),
}
"""Columns of calls.parquet: every imported call without its texts, so that a later import can add to the means."""
_PROMPT = ("prompt_id", "prompt", "benchmark", "subject", "language", "conversation_id", "requires", "reference")


def call_frame(
    calls: Sequence[Call], rename: Mapping[str, str], known: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """All fields of the calls as columns, with `prompt_id`, `decided_at` and a `call_id` that lasts.

    A call without an id of its own is told by what it says, and by how many of the same came before it.

    Args:
        calls: of one import.
        rename: names of models in the log, and what they are called in the tables.
        known: prompts by id that the tables have already; None: none.
    """
    names = [one.name for one in fields(Call) if one.name not in ("grades", "remarks")]
    columns = {name: [getattr(call, name) for call in calls] for name in names}
    columns["model"] = [rename.get(call.model, call.model) for call in calls]
    columns["prompt_id"] = _prompt_ids(calls, known or {})
    columns["call_id"] = _call_ids(columns)
    # a series of lists takes longer to make than all others together
    columns["requires"] = [",".join(call.requires) for call in calls]
    kinds = {**PROMPTS.dtypes, **CALLS, "requires": pl.String(), "digest": pl.String(), "response": pl.String()}
    frame = pl.DataFrame(columns, schema_overrides={name: kinds[name] for name in columns if name in kinds})
    plain = [pl.col(name).str.normalize("NFC").str.strip_chars() for name in ("model", "prompt_id")]
    capabilities = pl.col("requires").str.split(",").list.filter(pl.element() != "")
    return frame.with_columns(*plain, decided_at=pl.col("created_at"), requires=capabilities)


def _prompt_ids(calls: Sequence[Call], known: Mapping[str, str]) -> list[str]:
    """An id for each call's prompt: the log's own, with part of the digest where another prompt has that id already.

    Ids such as 1, 2, 3 begin anew in every file.
    """
    first: dict[str, str] = {}
    ids = []
    for call in calls:
        if call.prompt_id is None:
            ids.append(prompt_id(call.benchmark, call.digest))
            continue
        # as it will be written: two spellings of an id may stand for two prompts
        own = unicodedata.normalize("NFC", call.prompt_id).strip()
        other = call.digest != first.setdefault(own, call.digest)
        if own in known:
            other = call.prompt.strip() != known[own].strip()
        ids.append(f"{own}/{call.digest[:8]}" if other else own)
    return ids


def prompt_id(benchmark: str | None, digest: str) -> str:
    """An id from the content, the same in every import of the same prompt."""
    return digest[:16] if benchmark is None else f"{benchmark}/{digest[:16]}"


def _call_ids(columns: Mapping[str, list[object]]) -> list[str]:
    said = ("prompt_id", "model", "created_at", "quality", "input_tokens", "output_tokens", "cost_usd", "response")
    before: Counter[str] = Counter()
    ids = []
    for own, *parts in zip(columns["call_id"], *(columns[name] for name in said), strict=True):
        # one span id may stand for a call to each of two models
        text = f"{own}\0{parts[1]}" if own is not None else "\0".join(map(str, parts))
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        before[digest] += own is None
        ids.append(digest if before[digest] < 2 else f"{digest}-{before[digest]}")
    return ids


def one_a_call(calls: pl.DataFrame) -> pl.DataFrame:
    """One row a call: of several tellings of it, by an export of later or by another log, what each knows.

    Calls of different prompts are never one, whatever id they share: many gateways give all calls of a trace its id.
    """
    if not calls["call_id"].is_duplicated().any():
        return calls
    # one log of two may have a label for the prompt, which stands before the digest
    digest = pl.col("prompt_id").str.extract(r"(?:^|/)([0-9a-f]{16})$")
    one = calls.group_by("call_id", pl.coalesce(digest, "prompt_id").alias("of_prompt"), maintain_order=True)
    return one.agg(pl.all().drop_nulls().last()).select(list(CALLS))


def repeated(calls: pl.DataFrame, new: pl.DataFrame, told: int) -> list[str]:
    """What a person should know of ids that stand more than once in a log.

    Args:
        calls: one row a call.
        new: calls as this import told them, one row each telling.
        told: rows that `calls` are made of.
    """
    notes = []
    joined = told - calls.height
    if joined:
        notes.append(f"{joined} rows tell of a call that another row tells of too, and count once with it")
    several = calls.filter(pl.col("call_id").is_duplicated() & pl.col("call_id").is_in(new["call_id"].unique()))
    if several.height:
        notes.append(
            f"{several.height} calls have the id of a call of the same model with another prompt: each counts by itself"
        )
    return notes


def prompt_table(frame: pl.DataFrame) -> pl.DataFrame:
    """One row a prompt: the first value of each column that is known, the earliest time, all requirements."""
    known = [pl.col(name).drop_nulls().first() for name in _PROMPT[2:] if name != "requires"]
    return (
        frame.group_by("prompt_id", maintain_order=True)
        .agg(
            pl.col("prompt").first(),
            *known,
            pl.col("created_at").min(),
            requires=pl.col("requires").explode(empty_as_null=False, keep_nulls=False).unique().sort(),
        )
        .pipe(shaped, PROMPTS)
    )


def outcome_table(calls: pl.DataFrame) -> pl.DataFrame:
    """One row a prompt and model: means over its calls, each over those that know the figure, and their count."""
    means = [pl.col(name).mean() for name in ("quality", "cost_usd", "latency_ms", "propensity")]
    counts = [pl.col(name).mean().round() for name in ("input_tokens", "output_tokens")]
    graders = pl.col("graded_by").drop_nulls().unique().sort()
    return (
        calls.sort("decided_at", nulls_last=False, maintain_order=True)
        .group_by("prompt_id", "model", maintain_order=True)
        .agg(
            *means,
            *counts,
            pl.col("decided_at").last(),
            pl.col("decision_id").drop_nulls().last(),
            graded_by=pl.when(graders.len() > 0).then(graders.str.join(", ")),
            samples=pl.len(),
        )
        .sort("prompt_id", "model")
        .pipe(shaped, OUTCOMES)
    )


def grade_table(frame: pl.DataFrame, calls: Sequence[Call]) -> pl.DataFrame | None:
    """Grades that the log has beside a quality; of several by one grader their mean. None: there are none."""
    rows = [
        (key, model, grade.grader, grade.kind, grade.grade, call.created_at)
        for key, model, call in zip(frame["prompt_id"], frame["model"], calls, strict=True)
        for grade in call.grades
    ]
    if not rows:
        return None
    long = pl.DataFrame(rows, schema=GRADES.dtypes, orient="row")
    return long.group_by(GRADES.key, maintain_order=True).agg(pl.col("grade").mean(), pl.col("graded_at").max())


def response_table(frame: pl.DataFrame) -> pl.DataFrame | None:
    """Answers that nobody has graded, the last of each prompt and model; None: there are none."""
    ungraded = frame.filter(pl.col("quality").is_null() & pl.col("response").is_not_null())
    last = ungraded.group_by(RESPONSES.key, maintain_order=True).agg(pl.col("response").last())
    return last.pipe(shaped, RESPONSES) if last.height else None


def unkept_responses(frame: pl.DataFrame, kept: pl.DataFrame | None) -> int:
    """How many different answers that nobody has graded gave way to the last of their prompt and model."""
    if kept is None:
        return 0
    ungraded = frame.filter(pl.col("quality").is_null()).select(*RESPONSES.key, "response").drop_nulls()
    return ungraded.unique().join(kept, on=RESPONSES.key, how="semi").height - kept.height


def twins(candidates: pl.DataFrame, outcomes: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Pairs of models of equal known prices that answered the same prompts, and how many: one model of two names?"""
    prices = ["input_usd_per_mtok", "output_usd_per_mtok"]
    priced = candidates.filter(pl.col(prices[0]) > 0).select("model", *prices)
    pairs = priced.join(priced, on=prices, suffix="_other").filter(pl.col("model") < pl.col("model_other"))
    if pairs.is_empty():
        return []
    seen = outcomes.select("prompt_id", "model")
    return (
        pairs.join(seen, on="model")
        .join(seen.rename({"model": "model_other"}), on=["prompt_id", "model_other"])
        .group_by("model", "model_other")
        .len()
        .sort("model", "model_other")
        .rows()
    )

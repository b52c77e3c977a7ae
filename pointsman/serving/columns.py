"""Decisions of many requests as columns of the log: what each would cost as a row, many share.

Shapes: N prompts, M candidates.
"""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pointsman.policy.exploration import propensities
from pointsman.serving.decided import Decided
from pointsman.serving.log_schema import DECISION, SHADOW
from pointsman.serving.shadow import Compared
from pointsman.text.conversation import prompt_digest


def decision_frame(decided: Sequence[Decided], *, text: bool, embedding: bool) -> pl.DataFrame:
    """Columns as DECISION, rows in the order of the decisions."""
    if not decided:
        return pl.DataFrame(schema=DECISION)
    by_router: dict[int, list[int]] = {}
    for place, one in enumerate(decided):
        by_router.setdefault(id(one.router), []).append(place)
    frames = [
        _of_one_router([decided[place] for place in places], text=text, embedding=embedding)
        for places in by_router.values()
    ]
    if len(frames) == 1:
        return frames[0]
    places = np.concatenate([_each(places, [decided[place] for place in places]) for places in by_router.values()])
    return pl.concat(frames)[np.argsort(places, kind="stable")]


def _each(values: Sequence[Any], decided: Sequence[Decided]) -> list[Any]:
    """The value of each request once for each of its prompts."""
    if len(decided) == sum(map(len, decided)):
        return [*values]
    return list(chain.from_iterable([value] * len(one) for value, one in zip(values, decided, strict=True)))


def _of_one_router(decided: list[Decided], *, text: bool, embedding: bool) -> pl.DataFrame:
    # arrays and lists of plain values alone: what polars evaluates as an expression costs a millisecond each
    router = decided[0].router
    joined = {
        name: np.concatenate([getattr(one.routing, name) for one in decided])
        for name in ("choice_N", "task_N", "quality_NM", "cost_usd_NM", "margin_N", "novel_N", "reason_N")
    }
    choice_N, quality_NM, cost_NM = (joined[name] for name in ("choice_N", "quality_NM", "cost_usd_NM"))
    size = choice_N.size
    rows_N, reasons = np.arange(size), joined["reason_N"].tolist()
    # the last one is where a prompt without a task (-1) finds it
    tasks = [*(router.task_ids or map(str, range(len(router.evidence.count_TM)))), None]
    at_us = pl.Series(_each([one.at_us for one in decided], decided), dtype=pl.Int64)
    columns: dict[str, list[Any] | pl.Series] = {
        "decision_id": list(chain.from_iterable(one.decision_ids for one in decided)),
        "decided_at": at_us.cast(pl.Datetime("us")),
        "router_id": [router.router_id] * size,
        "policy": _each([one.routing.policy for one in decided], decided),
        "candidate": [router.candidates[choice] for choice in choice_N.tolist()],
        "propensity": _numbers(np.concatenate([one.explored.propensity_N for one in decided])),
        "propensities": _chances(decided, router.candidates),
        "explored": [reason == "explore" for reason in reasons],
        "predicted_quality": _numbers(quality_NM[rows_N, choice_N]),
        "expected_cost_usd": _numbers(cost_NM[rows_N, choice_N]),
        "baseline_cost_usd": _numbers(cost_NM[:, router.best_single]),
        "scores": _scores(router.candidates, quality_NM, cost_NM),
        "task": [tasks[task] for task in joined["task_N"].tolist()],
        "margin": _numbers(joined["margin_N"]),
        "novel": joined["novel_N"].tolist(),
        "reason": reasons,
        "session": _each([one.session for one in decided], decided),
        "tenant": _each([one.tenant for one in decided], decided),
        "requires": _each([list(one.requires) for one in decided], decided),
        "digest": list(chain.from_iterable(map(_digests, decided))),
        "text": list(chain.from_iterable(one.texts or [None] * len(one) for one in decided)) if text else [None] * size,  # type: ignore[list-item]
        "embedding": list(chain.from_iterable(map(_embeddings, decided))) if embedding else [None] * size,
    }
    # each type is said: of what stands first it could be another
    return pl.DataFrame([_column(name, values) for name, values in columns.items()])


def _column(name: str, values: list[Any] | pl.Series) -> pl.Series:
    if isinstance(values, pl.Series):
        return values.alias(name)
    return pl.Series(name, values, dtype=DECISION[name], strict=False)


def _numbers(values_N: NDArray[np.float64]) -> pl.Series:
    """A column of numbers; nan: unknown, which is null in the log."""
    return pl.Series(values_N, dtype=pl.Float64, nan_to_null=True)


def _digests(decided: Decided) -> list[str | None]:
    if decided.digests is not None:
        return [*decided.digests]
    return [None] * len(decided) if decided.texts is None else [prompt_digest([text]) for text in decided.texts]


def _embeddings(decided: Decided) -> list[Any]:
    return [None] * len(decided) if decided.embedding_ND is None else decided.embedding_ND.tolist()


def _scores(names: tuple[str, ...], quality_NM: NDArray[np.float64], cost_NM: NDArray[np.float64]) -> pl.Series:
    """A list of what is expected of each candidate, for each prompt."""
    rows = quality_NM.shape[0]
    flat = pl.DataFrame(
        [
            pl.Series("candidate", list(names) * rows, dtype=pl.String),
            _numbers(quality_NM.ravel()).alias("quality"),
            _numbers(cost_NM.ravel()).alias("cost"),
        ]
    )
    return flat.to_struct().reshape((rows, len(names))).cast(DECISION["scores"])


def _chances(decided: list[Decided], names: tuple[str, ...]) -> list[str | None]:
    """Candidates' probabilities as JSON; None where one was certain. Shape (N,)."""
    chance_NM = propensities([one.explored for one in decided], len(names))
    # the same few rows again and again: one rate, and sets of a few candidates
    known: dict[bytes, str | None] = {}
    texts: list[str | None] = []
    for row_M in chance_NM:
        key = row_M.tobytes()
        if key not in known:
            chances = {name: chance for name, chance in zip(names, row_M.tolist(), strict=True) if chance > 0}
            known[key] = json.dumps(chances) if len(chances) > 1 else None
        texts.append(known[key])
    return texts


def shadow_frame(compared: Sequence[Compared]) -> pl.DataFrame:
    """Columns as SHADOW, rows in the order of the decisions."""
    columns: dict[str, list[Any]] = {name: [] for name in SHADOW}
    for one in compared:
        columns["decision_id"] += one.decision_ids
        columns["decided_at"] += one.at_us
        columns["shadow_router_id"] += [one.router_id] * len(one)
        columns["shadow_candidate"] += one.routing.candidate
        columns["shadow_quality"] += one.routing.predicted_quality.tolist()
        columns["shadow_cost_usd"] += one.routing.expected_cost_usd.tolist()
    whole = pl.DataFrame(columns, schema={**SHADOW, "decided_at": pl.Int64})
    return whole.with_columns(pl.col("decided_at").cast(pl.Datetime("us")), pl.col("shadow_cost_usd").fill_nan(None))

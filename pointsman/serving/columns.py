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
        _of_one_router([decided[place] for place in places], places, text=text, embedding=embedding)
        for places in by_router.values()
    ]
    whole = pl.concat(frames)
    return (whole.sort("place", maintain_order=True) if len(frames) > 1 else whole).drop("place")


def _of_one_router(decided: list[Decided], places: list[int], *, text: bool, embedding: bool) -> pl.DataFrame:
    router = decided[0].router
    count_D = [len(one) for one in decided]

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one.routing, name) for one in decided])

    def each(values: list[Any]) -> list[Any]:
        if len(decided) == sum(count_D):
            return values
        return list(chain.from_iterable([value] * count for value, count in zip(values, count_D, strict=True)))

    choice_N, task_N, quality_NM, cost_NM = (
        joined(name) for name in ("choice_N", "task_N", "quality_NM", "cost_usd_NM")
    )
    rows_N, reasons = np.arange(choice_N.size), joined("reason_N")
    # the last one is where a prompt without a task (-1) finds it
    tasks = [*(router.task_ids or map(str, range(len(router.evidence.count_TM)))), None]
    texts = list(chain.from_iterable(one.texts or [None] * len(one) for one in decided))  # type: ignore[list-item]
    columns: dict[str, Any] = {
        "decision_id": list(chain.from_iterable(one.decision_ids for one in decided)),
        "decided_at": pl.Series(each([one.at_us for one in decided]), dtype=pl.Int64).cast(pl.Datetime("us")),
        "router_id": [router.router_id] * choice_N.size,
        "policy": each([one.routing.policy for one in decided]),
        "candidate": _named(router.candidates, choice_N),
        "propensity": np.concatenate([one.explored.propensity_N for one in decided]),
        "propensities": _chances(decided, router.candidates),
        "explored": reasons == "explore",
        "predicted_quality": quality_NM[rows_N, choice_N],
        "expected_cost_usd": cost_NM[rows_N, choice_N],
        "baseline_cost_usd": cost_NM[:, router.best_single],
        "scores": _scores(router.candidates, quality_NM, cost_NM),
        "task": _named(tasks, np.where(task_N < 0, len(tasks) - 1, task_N)),
        "margin": joined("margin_N"),
        "novel": joined("novel_N"),
        "reason": pl.Series(reasons.tolist(), dtype=pl.String),
        "session": each([one.session for one in decided]),
        "tenant": each([one.tenant for one in decided]),
        "requires": each([list(one.requires) for one in decided]),
        "digest": list(chain.from_iterable(map(_digests, decided))),
        "text": texts if text else [None] * choice_N.size,
        "embedding": list(chain.from_iterable(map(_embeddings, decided))) if embedding else [None] * choice_N.size,
    }
    frame = pl.DataFrame(columns, schema=DECISION, strict=False)
    known = (pl.col(name).fill_nan(None) for name in ("expected_cost_usd", "baseline_cost_usd"))
    return frame.with_columns(*known, place=pl.Series(each(places), dtype=pl.Int64))


def _named(names: Sequence[str | None], place_N: NDArray[np.integer]) -> pl.Series:
    """The name at each place; an array of objects would take its type from what stands first."""
    return pl.Series(names, dtype=pl.String).gather(pl.Series(place_N))


def _digests(decided: Decided) -> list[str | None]:
    if decided.digests is not None:
        return [*decided.digests]
    return [None] * len(decided) if decided.texts is None else [prompt_digest([text]) for text in decided.texts]


def _embeddings(decided: Decided) -> list[Any]:
    return [None] * len(decided) if decided.embedding_ND is None else [*decided.embedding_ND]


def _scores(names: tuple[str, ...], quality_NM: NDArray[np.float64], cost_NM: NDArray[np.float64]) -> pl.Series:
    """A list of what is expected of each candidate, for each prompt."""
    rows = quality_NM.shape[0]
    flat = pl.DataFrame(
        {
            "candidate": list(names) * rows,
            "quality": quality_NM.ravel(),
            "cost": pl.Series(cost_NM.ravel()).fill_nan(None),
        }
    )
    return flat.to_struct().reshape((rows, len(names))).arr.to_list()


def _chances(decided: list[Decided], names: tuple[str, ...]) -> pl.Series:
    """Candidates' probabilities as JSON; null where one was certain. Shape (N,)."""
    chance_NM = propensities([one.explored for one in decided], len(names))
    open_N = (chance_NM > 0).sum(axis=1) > 1
    rows, columns = np.nonzero((chance_NM > 0) & open_N[:, None])
    keys = np.array([f"{json.dumps(name)}: " for name in names], dtype=object)
    parts = pl.DataFrame({"row": rows, "key": pl.Series(keys[columns], dtype=pl.String), "p": chance_NM[rows, columns]})
    texts = parts.group_by("row", maintain_order=True).agg(
        text=pl.concat_str(pl.col("key"), pl.col("p").cast(pl.String)).str.join(", ")
    )
    told = np.full(open_N.size, None, dtype=object)
    told[texts["row"].to_numpy()] = ("{" + texts["text"] + "}").to_list()
    return pl.Series(told.tolist(), dtype=pl.String)


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

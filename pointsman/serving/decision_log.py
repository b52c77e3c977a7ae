"""The decision log: what was decided with which probability, and what became of it.

`pointsman import decisions DIR` makes tables of one answer a prompt of it, with exact propensities.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pointsman.serving.segments import Segments, read_segments

TextSetting = Literal["full", "hash", "embedding"]
SCORE = pl.Struct({"candidate": pl.String, "quality": pl.Float64, "cost": pl.Float64})
DECISION: dict[str, Any] = {
    "decision_id": pl.String,
    "decided_at": pl.Datetime("us"),
    "router_id": pl.String,
    "policy": pl.String,
    "candidate": pl.String,
    "propensity": pl.Float64,
    "propensities": pl.String,
    "explored": pl.Boolean,
    "predicted_quality": pl.Float64,
    "expected_cost_usd": pl.Float64,
    "baseline_cost_usd": pl.Float64,
    "scores": pl.List(SCORE),
    "task": pl.String,
    "margin": pl.Float64,
    "novel": pl.Boolean,
    "reason": pl.String,
    "session": pl.String,
    "tenant": pl.String,
    "requires": pl.List(pl.String),
    "digest": pl.String,
    "text": pl.String,
    "embedding": pl.List(pl.Float32),
}
"""Columns of a decision. `propensities` is JSON, candidate to probability, null where the choice was certain; `digest`
tells prompts apart without their text; `text` and `embedding` are null unless the setting asks for them."""
FIGURES: dict[str, Any] = {
    "quality": pl.Float64,
    "thumb": pl.String,
    "input_tokens": pl.Int64,
    "output_tokens": pl.Int64,
    "cost_usd": pl.Float64,
    "latency_ms": pl.Float64,
    "error": pl.String,
}
OUTCOME: dict[str, Any] = {"decision_id": pl.String, "told_at": pl.Datetime("us"), **FIGURES}
"""Columns of an outcome: what a caller didn't tell is null."""
SHADOW: dict[str, Any] = {
    "decision_id": pl.String,
    "decided_at": pl.Datetime("us"),
    "shadow_router_id": pl.String,
    "shadow_candidate": pl.String,
    "shadow_quality": pl.Float64,
    "shadow_cost_usd": pl.Float64,
}
"""Columns of what a shadow would have chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """Where decisions are kept, and how much of a prompt."""

    folder: Path
    text: TextSetting = "full"
    """full: the routed text, which alone can be learnt from; hash: its digest; embedding: digest and vector."""
    flush_seconds: float = 1.0
    """Most that a crash can lose, > 0."""
    capacity: int = 50_000
    """Rows of a kind that wait for the disk, >= 1; further ones are counted and lost."""

    def __post_init__(self) -> None:
        if self.text not in ("full", "hash", "embedding"):
            raise ValueError(f"the log's text setting must be full, hash or embedding, got {self.text!r}")


class DecisionLog:
    """Decisions, outcomes and a shadow's choices, each in segments of its own in one folder."""

    def __init__(self, config: LogConfig) -> None:
        """Opens the log.

        Raises:
            OSError: the folder can't be written.
        """
        self.config = config

        def segments(kind: str, schema: Mapping[str, Any]) -> Segments:
            return Segments(config.folder, kind, schema, flush_seconds=config.flush_seconds, capacity=config.capacity)

        self._decisions = segments("decisions", DECISION)
        self._outcomes = segments("outcomes", OUTCOME)
        self._shadow = segments("shadow", SHADOW)

    def decided(self, row: Mapping[str, Any]) -> None:
        """Keeps a decision, columns as DECISION; what the text setting doesn't allow is dropped here."""
        text = self.config.text
        self._decisions.append(
            {
                **row,
                "text": row.get("text") if text == "full" else None,
                "embedding": row.get("embedding") if text == "embedding" else None,
            }
        )

    def told(self, row: Mapping[str, Any]) -> bool:
        """Keeps an outcome, columns as OUTCOME; False: there was no room, and the caller should come again."""
        return self._outcomes.append(row)

    def shadowed(self, row: Mapping[str, Any]) -> None:
        """Keeps a shadow's choice, columns as SHADOW."""
        self._shadow.append(row)

    @property
    def shed(self) -> int:
        """Rows lost for want of room."""
        return self._decisions.shed + self._outcomes.shed + self._shadow.shed

    @property
    def failures(self) -> int:
        """Writes that failed and were tried again."""
        return self._decisions.failures + self._outcomes.failures + self._shadow.failures

    def flush(self) -> None:
        """Writes what waits."""
        for segments in (self._decisions, self._outcomes, self._shadow):
            segments.flush()

    def close(self) -> None:
        """Writes what waits and ends the writers."""
        for segments in (self._decisions, self._outcomes, self._shadow):
            segments.close()


def read_log(folder: Path) -> pl.DataFrame:
    """Decisions with their outcomes beside them, one row a decision, in the order of decisions.

    Of several outcomes of a decision each figure's last one counts; a row that stands twice counts once.

    Raises:
        FileNotFoundError: the folder holds no decisions.
    """
    decisions = read_segments(folder, "decisions")
    if decisions is None:
        raise FileNotFoundError(f"{folder} holds no decisions (decisions-*.parquet)")
    decisions = decisions.unique("decision_id", keep="first", maintain_order=True)
    outcomes = read_segments(folder, "outcomes")
    if outcomes is None:
        outcomes = pl.DataFrame(schema=OUTCOME)
    last = (
        outcomes.sort("told_at", maintain_order=True)
        .group_by("decision_id", maintain_order=True)
        .agg(pl.col(name).drop_nulls().last() for name in FIGURES)
    )
    return decisions.join(last, on="decision_id", how="left", maintain_order="left")


def propensities_text(names: tuple[str, ...], propensity_M: list[float]) -> str | None:
    """Candidates' probabilities as the log keeps them; None where one is certain."""
    chances = {name: chance for name, chance in zip(names, propensity_M, strict=True) if chance > 0}
    return json.dumps(chances) if len(chances) > 1 else None

"""Columns of the decision log."""

from typing import Any

import polars as pl

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
"""Columns of an outcome: what a caller didn't tell is null. An empty error says that the call didn't fail."""
EVENTS = "events.jsonl"
"""Beside the segments: how trials of challengers ended, a line of JSON each."""
SHADOW: dict[str, Any] = {
    "decision_id": pl.String,
    "decided_at": pl.Datetime("us"),
    "shadow_router_id": pl.String,
    "shadow_candidate": pl.String,
    "shadow_quality": pl.Float64,
    "shadow_cost_usd": pl.Float64,
}
"""Columns of what a shadow would have chosen."""

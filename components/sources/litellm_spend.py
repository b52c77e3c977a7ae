"""Spend logs of a LiteLLM gateway, one JSON line per call, with a grade in each call's metadata."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from components.sources.records import json_lines, number_of, prompt_id, text_of, to_tables
from components.tables.schema import CANDIDATES
from components.tables.store import TableError, Tables

_BENCHMARK = "litellm"


def import_litellm_spend(path: Path) -> Tables:
    """Tables of LiteLLM's spend logs: model, spend, prompt_tokens, completion_tokens, startTime, messages, metadata.

    The gateway doesn't grade: `metadata.quality` in [0, 1] must have been filled in. The prompt is the last user
    message; `metadata.benchmark` is its label where given. Of repeated calls the last line counts. Prices are
    fitted per model: least squares of spend on both token counts, exact where the gateway charged by the token.

    Raises:
        TableError: as `json_lines`; a field absent or out of range; spend that no prices explain.
    """
    prompts: dict[str, dict[str, Any]] = {}
    outcomes: dict[tuple[str, str], dict[str, Any]] = {}
    for number, record in json_lines(path):
        where = f"{path}, line {number}"
        metadata = _decoded(record.get("metadata"), where, "metadata")
        if not isinstance(metadata, dict):
            raise TableError(f"{where}: 'metadata' must be an object with 'quality', is {metadata!r:.80}")
        prompt, model = _last_user_message(record, where), text_of(record, "model", where)
        benchmark = text_of(metadata, "benchmark", where) if metadata.get("benchmark") else _BENCHMARK
        key = prompt_id(benchmark, prompt)
        day = _day(record, where)
        prompts.setdefault(key, {"prompt_id": key, "prompt": prompt, "benchmark": benchmark, "created_at": day})
        outcomes[key, model] = {
            "prompt_id": key,
            "model": model,
            "quality": number_of(metadata, "quality", where, maximum=1),
            "input_tokens": round(number_of(record, "prompt_tokens", where)),
            "output_tokens": round(number_of(record, "completion_tokens", where)),
            "cost_usd": number_of(record, "spend", where),
        }
    rows = list(outcomes.values())
    return to_tables(path, list(prompts.values()), rows, _fitted_candidates(path, rows))


def _last_user_message(record: dict[str, Any], where: str) -> str:
    messages = _decoded(record.get("messages"), where, "messages")
    if not isinstance(messages, list):
        raise TableError(f"{where}: 'messages' must be a list, is {messages!r:.80}")
    users = [message for message in messages if isinstance(message, dict) and message.get("role") == "user"]
    if not users:
        raise TableError(f"{where}: 'messages' holds no message of the user")
    return text_of(users[-1], "content", where)


def _decoded(value: Any, where: str, name: str) -> Any:
    """A field that LiteLLM's database exports sometimes hold as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise TableError(f"{where}: '{name}' is text that isn't JSON: {error}") from error


def _day(record: dict[str, Any], where: str) -> datetime:
    start = text_of(record, "startTime", where)
    try:
        return datetime.fromisoformat(start[:10])
    except ValueError as error:
        raise TableError(f"{where}: 'startTime' must start with YYYY-MM-DD, is {start!r:.40}") from error


def _fitted_candidates(path: Path, outcomes: list[dict[str, Any]]) -> pl.DataFrame:
    by_model: dict[str, list[tuple[float, float, float]]] = {}
    for row in outcomes:
        by_model.setdefault(row["model"], []).append((row["input_tokens"], row["output_tokens"], row["cost_usd"]))
    candidates = []
    for model, calls in by_model.items():
        calls_K3 = np.array(calls, dtype=np.float64)
        prices_2, _, rank, _ = np.linalg.lstsq(calls_K3[:, :2], calls_K3[:, 2] * 1e6, rcond=None)
        if rank < 2 or prices_2.min() < -1e-6:
            raise TableError(f"{path}: the spend of model '{model}' ({len(calls)} calls) doesn't tell its two prices")
        sent, written = np.maximum(prices_2, 0.0).round(9).tolist()
        candidates.append(
            {
                "model": model,
                "input_usd_per_mtok": sent,
                "output_usd_per_mtok": written,
                "price_note": f"fitted to the spend of {len(calls)} calls",
            }
        )
    return pl.DataFrame(candidates, schema=CANDIDATES.dtypes)

"""Logs of the LLMRouter library: one JSON line per query and model, with its performance."""

from pathlib import Path
from typing import Any

from components.sources.records import candidates_beside, json_lines, number_of, prompt_id, text_of, to_tables
from components.tables.store import TableError, Tables


def import_llmrouter(path: Path) -> Tables:
    """Tables of LLMRouter's routing data: fields task_name, query, model_name, performance; tokens where they're given.

    Prices lie beside the file as `candidates.*` or `models.*`; cost is tokens x price where both tokens are known.

    Raises:
        TableError: as `json_lines`; a field absent or out of range; the same query and model twice; no prices.
    """
    prompts: dict[str, dict[str, Any]] = {}
    outcomes: dict[tuple[str, str], dict[str, Any]] = {}
    for number, record in json_lines(path):
        where = f"{path}, line {number}"
        benchmark, prompt = text_of(record, "task_name", where), text_of(record, "query", where)
        model, key = text_of(record, "model_name", where), prompt_id(benchmark, prompt)
        if (key, model) in outcomes:
            raise TableError(f"{where}: this query and model '{model}' stand in an earlier line too")
        prompts[key] = {"prompt_id": key, "prompt": prompt, "benchmark": benchmark}
        outcomes[key, model] = {
            "prompt_id": key,
            "model": model,
            "quality": number_of(record, "performance", where, maximum=1),
            "input_tokens": _tokens(record, "input_tokens", where),
            "output_tokens": _tokens(record, "output_tokens", where),
            "graded_by": record.get("metric") if isinstance(record.get("metric"), str) else None,
        }
    candidates = candidates_beside(path, sorted({model for _, model in outcomes}))
    prices = {
        model: (price_in, price_out)
        for model, price_in, price_out in candidates.select(
            "model", "input_usd_per_mtok", "output_usd_per_mtok"
        ).iter_rows()
    }
    for (_, model), outcome in outcomes.items():
        sent, written = outcome["input_tokens"], outcome["output_tokens"]
        if sent is not None and written is not None:
            outcome["cost_usd"] = (sent * prices[model][0] + written * prices[model][1]) / 1e6
    return to_tables(path, list(prompts.values()), list(outcomes.values()), candidates)


def _tokens(record: dict[str, Any], name: str, where: str) -> int | None:
    return None if record.get(name) is None else round(number_of(record, name, where))

"""Wide tables: one row a prompt, one column a model, each cell a quality in [0, 1] or blank."""

import csv
from pathlib import Path
from typing import Any

from components.sources.records import candidates_beside, number_of, prompt_id, text_of, to_tables
from components.tables.store import TableError, Tables

_OWN_COLUMNS = frozenset({"prompt", "prompt_id", "benchmark", "subject", "language"})


def import_wide_csv(path: Path) -> Tables:
    """Tables of a csv: a column `prompt`, optional `prompt_id`, `benchmark`, `subject`, `language`, one per model.

    Blank cells are missing outcomes. A column `<model>|total_cost` (as RouterBench has) is that outcome's cost in USD;
    other columns with a bar are skipped. Prices lie beside the file as `candidates.*` or `models.*`.

    Raises:
        TableError: unreadable file, no column `prompt`, no model column, a cell out of range, a repeated prompt.
    """
    prompts: dict[str, dict[str, Any]] = {}
    outcomes: list[dict[str, Any]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = list(reader.fieldnames or ())
            models = [name for name in names if name not in _OWN_COLUMNS and "|" not in name]
            if "prompt" not in names or not models:
                raise TableError(f"{path}: needs a column 'prompt' and one column per model; found {names}")
            for record in reader:
                where = f"{path}, line {reader.line_num}"
                prompt = text_of(record, "prompt", where)
                benchmark = record.get("benchmark") or path.stem
                key = record.get("prompt_id") or prompt_id(benchmark, prompt)
                if key in prompts:
                    raise TableError(f"{where}: prompt '{key}' stands in an earlier line too")
                prompts[key] = {
                    "prompt_id": key,
                    "prompt": prompt,
                    "benchmark": benchmark,
                    "subject": record.get("subject") or None,
                    "language": record.get("language") or None,
                }
                outcomes += [_outcome(record, key, model, where) for model in models if (record[model] or "").strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: can't be read as csv: {error}") from error
    return to_tables(path, list(prompts.values()), outcomes, candidates_beside(path, models))


def _outcome(record: dict[str, Any], key: str, model: str, where: str) -> dict[str, Any]:
    cost = f"{model}|total_cost"
    return {
        "prompt_id": key,
        "model": model,
        "quality": number_of(record, model, where, maximum=1),
        "cost_usd": number_of(record, cost, where) if record.get(cost) else None,
    }

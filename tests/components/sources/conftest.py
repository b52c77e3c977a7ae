"""Logs of a few rows, written and imported."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.sources.call import ReadOptions
from components.sources.importing import ImportConfig, import_logs
from components.sources.tally import Tally
from components.tables.store import Tables, read_tables

Import = Callable[..., tuple[Tally, Tables]]


def row(query: str = "2 + 2?", model: str = "a", performance: object = 1.0, **changes: object) -> dict[str, object]:
    return {"task_name": "sums", "query": query, "model_name": model, "performance": performance} | changes


LOG = [row(f"{place} + 1?", model, (place + one) % 2) for place in range(30) for one, model in enumerate("ab")]


def prices(folder: Path, name: str = "candidates.json", **models: float) -> Path:
    rows = [{"model": model, "input_usd_per_mtok": usd, "output_usd_per_mtok": usd} for model, usd in models.items()]
    path = folder / name
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture
def lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes records (or raw text) as lines of a jsonl file."""

    def write(*records: Any, name: str = "log.jsonl") -> Path:
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
        return path

    return write


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports files and reads the tables that come of it."""

    def run(source: str, *paths: Path, **settings: Any) -> tuple[Tally, Tables]:
        options = {name: settings.pop(name) for name in ("scale", "metric", "rename", "responses") if name in settings}
        data = settings.pop("data", tmp_path / "data")
        config = ImportConfig(source=source, paths=paths, data=data, read=ReadOptions(**options), **settings)
        return import_logs(config), read_tables(data)

    return run


def cells(tables: Tables) -> dict[tuple[str, str], float | None]:
    """Quality by prompt and model."""
    joined = tables.outcomes.join(tables.prompts, on="prompt_id")
    return {
        (prompt, model): quality for prompt, model, quality in joined.select("prompt", "model", "quality").iter_rows()
    }


def column(tables: Tables, name: str, order: Sequence[str] = ("prompt_id", "model")) -> list[Any]:
    return tables.outcomes.sort(order)[name].to_list()

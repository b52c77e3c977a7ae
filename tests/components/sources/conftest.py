import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes records (or raw text) as lines of a jsonl file, with prices beside it."""

    def write(*records: dict[str, Any] | str) -> Path:
        prices = [
            {"model": "a", "input_usd_per_mtok": 1.0, "output_usd_per_mtok": 4.0},
            {"model": "b", "input_usd_per_mtok": 0.1, "output_usd_per_mtok": 0.2},
        ]
        (tmp_path / "candidates.json").write_text(json.dumps(prices))
        path = tmp_path / "log.jsonl"
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records), encoding="utf-8")
        return path

    return write

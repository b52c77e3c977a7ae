from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.sources.llmrouter_jsonl import import_llmrouter
from components.tables.matrices import to_matrices
from components.tables.schema import SCHEMAS
from components.tables.store import TableError


def _line(**changes: Any) -> dict[str, Any]:
    line = {"task_name": "gsm8k", "query": "2 + 2?", "model_name": "a", "performance": 1.0, "metric": "em_mc"}
    return line | changes


def test_lines_become_tables(write_lines: Callable[..., Path]) -> None:
    path = write_lines(
        _line(input_tokens=10, output_tokens=5),
        _line(model_name="b", performance=0),
        _line(query="3 + 3?", performance=0.5),
    )
    tables = import_llmrouter(path)
    for schema in SCHEMAS:
        assert dict(getattr(tables, schema.name).schema) == schema.dtypes
    matrices = to_matrices(tables)
    assert matrices.models == ("a", "b")
    assert matrices.quality_NM[0].tolist() == [1, 0]
    assert matrices.observed_NM.tolist() == [[True, True], [True, False]]
    assert matrices.cost_usd_NM[0, 0] == pytest.approx((10 * 1 + 5 * 4) / 1e6)
    assert tables.outcomes["cost_usd"].null_count() == 2


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{not json", "line 2: not a line of JSON"),
        ("[1]", "line 2: must be a JSON object"),
        (_line(query=" "), "line 2: 'query' must be text"),
        (_line(query="q", performance=1.5), r"line 2: 'performance' must lie in \[0, 1\]"),
        (_line(query="q", performance=float("nan")), "line 2: 'performance' must lie"),
        (_line(query="q", performance=None), "line 2: 'performance' must be a number"),
        (_line(), "line 2: this query and model 'a'"),
        (_line(model_name="unpriced"), r"no price for model\(s\) \['unpriced'\]"),
    ],
)
def test_bad_lines_are_named(write_lines: Callable[..., Path], bad: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        import_llmrouter(write_lines(_line(), bad))


def test_other_bytes_and_no_file_and_no_prices(write_lines: Callable[..., Path], tmp_path: Path) -> None:
    path = write_lines(_line())
    with pytest.raises(TableError, match="can't be read"):
        import_llmrouter(tmp_path / "absent.jsonl")
    path.write_bytes(path.read_bytes() + b'\n{"query": "\xff"}')
    with pytest.raises(TableError, match="line 2"):
        import_llmrouter(path)
    write_lines(_line())
    (tmp_path / "candidates.json").unlink()
    with pytest.raises(TableError, match="holds no prices"):
        import_llmrouter(path)

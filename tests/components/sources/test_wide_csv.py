from pathlib import Path

import numpy as np
import pytest

from components.sources.wide_csv import import_wide_csv
from components.tables.matrices import to_matrices
from components.tables.store import TableError


def _file(folder: Path, text: str) -> Path:
    (folder / "models.json").write_text(
        '[{"model": "a", "input_usd_per_mtok": 1, "output_usd_per_mtok": 2},'
        ' {"model": "b", "input_usd_per_mtok": 1, "output_usd_per_mtok": 2}]'
    )
    path = folder / "wide.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_cells_become_outcomes(tmp_path: Path) -> None:
    text = (
        'prompt,benchmark,a,b,a|total_cost,a|model_response\n"Hi, you\nthere",chat,1,0.25,0.002,Hello\nBye,chat,,0,,\n'
    )
    tables = import_wide_csv(_file(tmp_path, text))
    matrices = to_matrices(tables)
    np.testing.assert_array_equal(matrices.quality_NM, [[1, 0.25], [np.nan, 0]])
    np.testing.assert_array_equal(matrices.cost_usd_NM, [[0.002, np.nan], [np.nan, np.nan]])
    assert tables.prompts["prompt"].to_list() == ["Hi, you\nthere", "Bye"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("question,a\nx,1\n", "needs a column 'prompt'"),
        ("", "needs a column 'prompt'"),
        ("prompt\nx\n", "one column per model"),
        ("prompt,a\nx,2\n", r"line 2: 'a' must lie in \[0, 1\]"),
        ("prompt,a\nx,good\n", "line 2: 'a' must be a number"),
        ("prompt,a\nx,1\nx,0\n", "line 3: prompt .* earlier line"),
        ("prompt,a\n ,1\n", "line 2: 'prompt' must be text"),
        ("prompt,a\nx,\n", "holds no outcome"),
        ("prompt,c\nx,1\n", r"no price for model\(s\) \['c'\]"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        import_wide_csv(_file(tmp_path, text))


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    path = _file(tmp_path, "")
    path.write_bytes(b"prompt,a\n\xff\xfe,1\n")
    with pytest.raises(TableError, match="can't be read as csv"):
        import_wide_csv(path)

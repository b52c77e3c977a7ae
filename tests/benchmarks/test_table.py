"""A benchmark's table is written whole, whatever its rows lack."""

import json

from tests.benchmarks.table import Table, markdown, write

TABLE = Table(
    name="held",
    claim="Two rows.",
    rows=[{"block": "pareto", "seconds": 12.5}, {"block": "all", "judged on": 1766}],
    summary={"growth": 1.1},
)


def test_what_a_row_lacks_is_a_dash():
    lines = markdown(TABLE).splitlines()
    assert lines[4:8] == [
        "| block  | seconds | judged on |",
        "|--------|--------:|----------:|",
        "| pareto |    12.5 |         - |",
        "| all    |       - |     1,766 |",
    ]
    assert lines[-1] == "- growth: 1.1"


def test_both_files_hold_every_row(tmp_path):
    write(TABLE, tmp_path)
    assert json.loads((tmp_path / "held.json").read_text())["rows"] == TABLE.rows
    assert "1,766" in (tmp_path / "held.md").read_text()

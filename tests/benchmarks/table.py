"""Tables of figures: printed, and written as Markdown and JSON with the machine they come from."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

Cell = str | int | float | None
LIBRARIES = ("numpy", "torch", "onnxruntime", "igraph", "hnswlib", "umap-learn", "hdbscan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One benchmark's figures: rows of keys in order; what a row lacks is shown as no figure."""

    name: str
    claim: str
    """What is compared and how, in a sentence or two."""
    rows: Sequence[Mapping[str, Cell]]
    summary: Mapping[str, Cell]
    """Figures of the whole table, such as a growth exponent."""


def shown(cell: Cell) -> str:
    """A cell as a reader wants it: three significant digits, no figure as a dash."""
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def markdown(table: Table) -> str:
    """The table as aligned Markdown, its summary below."""
    heads = list(dict.fromkeys(head for row in table.rows for head in row))
    cells = [heads, *([shown(row.get(head)) for head in heads] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    words = [any(isinstance(row.get(head), str) for row in table.rows) for head in heads]

    def line(row: Sequence[str]) -> str:
        padded = (c.ljust(w) if text else c.rjust(w) for c, w, text in zip(row, widths, words, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = "|".join("-" * (w + 2) if text else "-" * (w + 1) + ":" for w, text in zip(widths, words, strict=True))
    summary = [f"- {name}: {shown(figure)}" for name, figure in table.summary.items()]
    body = [line(heads), f"|{rule}|", *(line(row) for row in cells[1:])]
    return "\n".join([f"## {table.name}", "", table.claim, "", *body, *([""] if summary else []), *summary, ""])


def machine() -> dict[str, Cell]:
    """Where and with what the figures were measured."""
    found: dict[str, Cell] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            found[library] = None
    return found


def write(table: Table, folder: Path) -> None:
    """Writes `NAME.md` and `NAME.json` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    here = machine()
    footer = ", ".join(f"{name} {value}" for name, value in here.items() if value is not None)
    content = {
        "name": table.name,
        "claim": table.claim,
        "machine": here,
        "rows": [dict(row) for row in table.rows],
        "summary": dict(table.summary),
    }
    (folder / f"{table.name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (folder / f"{table.name}.md").write_text(f"{markdown(table)}\n{footer}\n", encoding="utf-8")

"""Whether a folder holds a log at all: asked before anything is read or started."""

from pathlib import Path

from components.tables.schema import SCHEMAS
from components.tables.store import find_table
from pointsman.errors import InputError


def require_tables(data: Path) -> None:
    """Says what is missing before anything is read.

    Raises:
        InputError: no such folder, an empty one, or one that lacks a table.
    """
    hint = f"it should hold the tables of your logs (pointsman import SOURCE PATH --data {data} writes them)"
    if not data.is_dir():
        raise InputError(f"{data}: no such folder; {hint}")
    if not any(not file.name.startswith(".") for file in data.iterdir()):
        raise InputError(f"{data}: is empty; {hint}")
    for schema in SCHEMAS:
        find_table(data, schema)

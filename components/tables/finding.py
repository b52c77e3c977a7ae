"""Which file of a folder a table is, and what to say where there is none or more than one."""

import logging
from collections.abc import Collection, Iterator
from pathlib import Path

from components.tables.errors import TableError
from components.tables.reading import SUFFIXES
from components.tables.schema import TableSchema

_LOG = logging.getLogger(__name__)
REPLACED = ".replaced"
"""Ends the name of a file that a newer table took the place of."""
_PACKED = (".gz", ".zst", ".zstd", ".zip", ".bz2", ".xz")
_CSV = (".csv", ".tsv")


def table_files(folder: Path, schema: TableSchema) -> list[Path]:
    """All files of a folder that are named as a table; the first is the one that our own writers leave."""
    return [path for name in _names(schema) if (path := folder / name).is_file()]


def find_table(folder: Path, schema: TableSchema, but: Collection[Path] = ()) -> Path:
    """Path of a table's file in a folder, whichever of its known names and formats it has.

    A parquet file goes before an older file of the same table: tables were made of such files by grading, buying and
    imports, which used to leave them where they lay.

    Args:
        folder: of the tables.
        schema: of the table.
        but: files that are passed over where there is another.

    Raises:
        TableError: the folder or the file is missing, or there are several and nobody can say which one is meant.
    """
    if not folder.is_dir():
        raise TableError(f"{folder}: no such folder")
    besides = {path.resolve() for path in but}
    named = table_files(folder, schema)
    files = [path for path in named if path.resolve() not in besides] or named
    if not files:
        seen = "".join(f"; {odd}" for odd in odd_files(folder, schema))
        raise TableError(f"{folder}: table '{schema.name}' is missing (looked for {', '.join(_names(schema))}){seen}")
    first, *others = files
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    if others and (first.suffix != ".parquet" or first.stat().st_mtime_ns < newest.stat().st_mtime_ns):
        raise TableError(
            f"{folder}: table '{schema.name}' is there more than once, as {' and '.join(path.name for path in files)} "
            f"({newest.name} is the newest): a table is one file, so move the others away"
        )
    return first


def odd_files(folder: Path, schema: TableSchema) -> Iterator[str]:
    """What lies in a folder under a table's name and can't be read as one, each with what can be done."""
    for path in sorted(folder.iterdir()):
        stem, _, ending = path.name.partition(".")
        suffix = path.suffix.lower()
        if stem.lower() not in schema.stems or not (ending or path.is_dir()) or path in table_files(folder, schema):
            continue
        if path.is_dir():
            yield f"{path.name} is a folder: a table is one file"
        elif suffix in _PACKED:
            yield f"{path.name} is packed: unpack it first"
        elif suffix in _CSV:
            yield (
                f"{path.name} is {suffix[1:]}: save it as parquet or JSON lines, or, where prompts, models and "
                "grades are in one file, read it with pointsman import wide-csv"
            )
        elif f"{stem}.{ending}".lower() in _names(schema):
            yield f"{path.name} isn't written in small letters: rename it"
        elif suffix != REPLACED:
            yield f"{path.name} is none of parquet, jsonl and json"


def warn_of_others(path: Path, schema: TableSchema, but: Collection[Path] = ()) -> None:
    """Says which older files of a table aren't read because a newer one is."""
    known = {path.resolve(), *(one.resolve() for one in but)}
    for other in table_files(path.parent, schema):
        if other.resolve() not in known:
            _LOG.warning("%s is left alone: the table is read from %s, which is newer", other, path.name)


def put_away_others(path: Path, schema: TableSchema, but: Collection[Path] = ()) -> None:
    """Renames the files that a table took the place of, so that there is one of it."""
    kept = {path.resolve(), *(one.resolve() for one in but)}
    for other in table_files(path.parent, schema):
        if other.resolve() not in kept:
            other.rename(other.with_name(other.name + REPLACED))
            _LOG.warning("%s is now %s: the table is %s", other, other.name + REPLACED, path.name)


def _names(schema: TableSchema) -> list[str]:
    return [stem + suffix for stem in schema.stems for suffix in SUFFIXES]

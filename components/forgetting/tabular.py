"""Tables without the rows that have to be forgotten, in whatever format they lie."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from components.tables.json_text import loads
from pointsman.durable import write_whole
from pointsman.errors import InputError

if TYPE_CHECKING:
    from components.forgetting.wanted import Wanted

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
_DIGESTS = ("prompt_digest", "digest", "text")


def tabular_files(folder: Path) -> Iterator[Path]:
    """Files of a folder that may be tables, those that an import put away as `NAME.replaced` too, in order."""
    for path in sorted(folder.glob("**/*")):
        if path.is_file() and not path.name.startswith(".") and _suffix(path) in SUFFIXES:
            yield path


def read_rows(path: Path) -> pl.DataFrame:
    """A table as it lies there; without columns where it is none, such as a JSON document of another kind.

    Raises:
        InputError: it is damaged.
    """
    try:
        match _suffix(path):
            case ".parquet":
                return pl.read_parquet(path, hive_partitioning=False)
            case ".csv":
                return pl.read_csv(path, infer_schema=False)
            case ".json":
                content = loads(path.read_bytes())
                rows = content if isinstance(content, list) else []
            case _:
                rows = [loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read, so nothing in it was forgotten: {error}") from None
    # texts alone: whatever else a row holds isn't looked at
    plain = [{k: v for k, v in row.items() if isinstance(v, str)} if isinstance(row, dict) else {} for row in rows]
    names = dict.fromkeys(name for row in plain for name in row)
    return pl.DataFrame({name: pl.Series([row.get(name) for row in plain], dtype=pl.String) for name in names})


def unwanted(frame: pl.DataFrame, wanted: "Wanted") -> pl.Series:
    """Which rows have to go: by the prompt's or decision's id, by its text or by a digest of it."""
    known = {
        "prompt_id": wanted.prompt_ids,
        "decision_id": wanted.decision_ids,
        "prompt": frozenset(wanted.texts),
        "text": frozenset(wanted.texts),
    }
    gone = pl.repeat(False, frame.height, eager=True)
    for name, values in known.items():
        if frame.schema.get(name) == pl.String:
            gone |= frame[name].is_in(values).fill_null(False)
    for name in _DIGESTS:
        if frame.schema.get(name) == pl.String:
            gone |= frame[name].is_in(wanted.digests).fill_null(False)
    return gone


def rewrite(path: Path, gone: pl.Series) -> None:
    """Writes the file anew without those rows, at once; every other line of a text file stays as it is."""
    kept = (~gone).to_list()
    match _suffix(path):
        case ".parquet":
            frame = pl.read_parquet(path, hive_partitioning=False).filter(~gone)
            write_whole(path, lambda aside: frame.write_parquet(aside, compression="zstd"))
        case ".csv":
            cells = pl.read_csv(path, infer_schema=False).filter(~gone)
            write_whole(path, cells.write_csv)
        case ".json":
            rows = [row for row, keep in zip(loads(path.read_bytes()), kept, strict=True) if keep]
            write_whole(path, lambda aside: aside.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8"))
        case _:
            lines = [line for line in path.read_bytes().splitlines(keepends=True) if line.strip()]
            left = b"".join(line for line, keep in zip(lines, kept, strict=True) if keep)
            write_whole(path, lambda aside: aside.write_bytes(left))


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".replaced")).suffix

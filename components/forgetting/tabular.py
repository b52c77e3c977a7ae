"""Tables without the rows that have to be forgotten, in whatever format they lie."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from components.forgetting.columns import TEXTS, columns_of, texts_of_row
from components.tables.conversation import read_conversation
from components.tables.reading import SUFFIXES as READ
from components.tables.schema import OPTIONAL_SCHEMAS, SCHEMAS
from pointsman.durable import write_whole
from pointsman.errors import InputError
from pointsman.json_rows import json_lines
from pointsman.json_text import loads
from pointsman.text.messages import with_routed_texts

if TYPE_CHECKING:
    from components.forgetting.wanted import Wanted

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
_KEYS = {stem: schema.key[0] for schema in (*SCHEMAS, *OPTIONAL_SCHEMAS) for stem in schema.stems}
_SEGMENTS = ("decisions", "outcomes")
_DIGESTS = ("prompt_digest", "digest", "text")


class Unreadable(InputError):
    """A file that nothing else reads can't be read as a table either."""


def tabular_files(folder: Path) -> Iterator[Path]:
    """Files of a folder that may be tables, those that an import put away as `NAME.replaced` too, in order."""
    for path in sorted(folder.glob("**/*")):
        if path.is_file() and is_tabular(path):
            yield path


def is_tabular(path: Path) -> bool:
    """Whether a file may be a table, by its name."""
    return not path.name.startswith(".") and _suffix(path) in SUFFIXES


def read_rows(path: Path) -> pl.DataFrame:
    """A table as it lies there, but prompts given as messages are their routed text.

    It has no columns where it is no table, such as a JSON document of another kind.

    The last line of a text file that a crash tore is no row.

    Raises:
        Unreadable: it is damaged, and no table that a retrain reads, nor a segment of a decision log.
        InputError: it is one of those, and damaged.
    """
    conversation = read_conversation(path.parent)
    try:
        match _suffix(path):
            case ".parquet":
                return with_routed_texts(pl.read_parquet(path, hive_partitioning=False), conversation)
            case ".csv":
                return with_routed_texts(pl.read_csv(path, infer_schema=False), conversation)
            case ".json":
                rows = _rows(path, loads(path.read_bytes()))
            case _:
                rows = [row for *_, row in json_lines(path, torn=True)]
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        if _is_read_elsewhere(path):
            raise InputError(
                f"{path}: can't be read, so nothing was forgotten: {error}; mend it, restore it, or move it "
                "out of the folder"
            ) from None
        raise Unreadable(
            f"{path} can't be read as a table, so no row of it was forgotten: {error}; look at it, and delete it if it "
            "holds prompts"
        ) from None
    plain = [texts_of_row(row, conversation) if isinstance(row, dict) else {} for row in rows]
    names = dict.fromkeys(name for row in plain for name in row)
    frame = pl.DataFrame({name: pl.Series([row.get(name) for row in plain], dtype=pl.String) for name in names})
    return with_routed_texts(frame, conversation)


def _is_read_elsewhere(path: Path) -> bool:
    """Whether it is a table of a retrain or a segment of a decision log: what it links to a prompt is needed."""
    if path.suffix == ".parquet" and path.name.split("-")[0] in _SEGMENTS:
        return True
    return path.stem in _KEYS and path.suffix in READ


def _rows(path: Path, document: Any) -> list[Any]:
    """Rows of a list, or of an object that has a table's rows by their key."""
    if isinstance(document, list):
        return document
    key = _KEYS.get(path.name.split(".")[0])
    if key is None or not isinstance(document, dict):
        return []
    return [{key: name} | row if isinstance(row, dict) else None for name, row in document.items()]


def unwanted(frame: pl.DataFrame, wanted: "Wanted") -> pl.Series:
    """Which rows have to go: by the prompt's or decision's id, by its text or by a digest of it."""
    known = (
        (columns_of(frame, "prompt_id"), wanted.prompt_ids),
        (columns_of(frame, "decision_id"), wanted.decision_ids),
        (columns_of(frame, *TEXTS), frozenset(wanted.texts)),
        ([frame[name] for name in _DIGESTS if frame.schema.get(name) == pl.String], wanted.digests),
    )
    gone = pl.repeat(False, frame.height, eager=True)
    for columns, values in known:
        for column in columns:
            gone |= column.is_in(values).fill_null(False)
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
            document = loads(path.read_bytes())
            rows = document.items() if isinstance(document, dict) else document
            left = [row for row, keep in zip(rows, kept, strict=True) if keep]
            text = json.dumps(dict(left) if isinstance(document, dict) else left, ensure_ascii=False)
            write_whole(path, lambda aside: aside.write_text(text, encoding="utf-8"))
        case _:
            whole = b"".join(line for (_, line, _), keep in zip(json_lines(path, torn=True), kept, strict=True) if keep)
            write_whole(path, lambda aside: aside.write_bytes(whole))


def _suffix(path: Path) -> str:
    return Path(path.name.removesuffix(".replaced")).suffix

"""Whether a file quotes a prompt: pages, reports, JSON documents, tables and SQLite databases are looked into."""

import base64
import gzip
import html
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import polars as pl

BEGINNING = 40
"""Characters by which a prompt is known again: the shortest beginning that any page or report shows."""
SHORT = 24
"""A prompt of fewer characters must stand alone; 'yes' in the middle of a page says nothing."""
ARRAYS = frozenset({".npz", ".npy", ".safetensors", ".onnx", ".png", ".pyc", ".nbi", ".nbc"})
"""Suffixes of files without texts."""
_PACKED = re.compile(r"<script type='text/plain' id='figure'>([^<]+)</script>")
_TAG = re.compile(r"<[^>]*>")


class Quotes:
    """Finds beginnings of texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        plain = {_plain(text) for text in texts} - {""}
        self._short = frozenset(text for text in plain if len(text) < SHORT)
        long = sorted({text[:BEGINNING] for text in plain if len(text) >= SHORT})
        self._long = re.compile("|".join(map(re.escape, long))) if long else None

    def among(self, pieces: Iterable[str]) -> bool:
        """Whether one of these strings quotes a text."""
        return any(self._in(_plain(piece)) for piece in pieces)

    def within(self, path: Path) -> bool:
        """Whether a file quotes one; arrays and what can't be read don't."""
        if path.suffix in ARRAYS or path.is_symlink():
            return False
        with suppress(OSError, sqlite3.Error, pl.exceptions.PolarsError):
            return self.among(_pieces(path))
        return False

    def _in(self, piece: str) -> bool:
        return piece in self._short or (self._long is not None and self._long.search(piece) is not None)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _pieces(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"SQLite format 3"):
        yield from _cells(path)
    elif head.startswith(b"PAR1"):
        frame = pl.read_parquet(path, hive_partitioning=False)
        for column in frame.select(pl.selectors.string()):
            yield from column.drop_nulls()
    else:
        text = path.read_bytes().decode("utf-8", "replace")
        for packed in _PACKED.findall(text):
            yield from _strings(json.loads(gzip.decompress(base64.b64decode(packed))))
        yield from _split(text)


def _split(text: str) -> Iterator[str]:
    """Strings of a JSON document or of each of its lines, what stands between the tags of a page, or lines."""
    if text.lstrip()[:1] in ("{", "["):
        with suppress(ValueError):
            yield from _strings(json.loads(text))
            return
    for line in text.splitlines():
        if line.lstrip()[:1] == "{":
            with suppress(ValueError):
                yield from _strings(json.loads(line))
                continue
        yield html.unescape(line)
    # a prompt of several lines
    yield html.unescape(text)
    if "</" in text:
        yield from (html.unescape(piece) for piece in _TAG.split(text))


def _strings(document: Any) -> Iterator[str]:
    match document:
        case str():
            yield document
            if "<" in document or document[:1] in ("{", "["):
                # a label of the map, or JSON within JSON
                yield from _split(document)
        case dict():
            for key, value in document.items():
                yield key
                yield from _strings(value)
        case list():
            for value in document:
                yield from _strings(value)


def _cells(path: Path) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # its own table's name
                for cell in row:
                    if isinstance(cell, str):
                        yield from _split(cell)

"""The strings in a file and where each stands: pages, reports, JSON documents, tables and SQLite databases."""

import base64
import gzip
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from enum import Enum
from pathlib import Path
from typing import Any

import polars as pl

_PACKED_FIGURE = re.compile(r"<script type='text/plain' id='figure'>([^<]+)</script>")
_TAG = re.compile(r"<[^>]*>")
_PROMPTS = frozenset(
    {"prompt", "prompts", "text", "texts", "example", "examples", "medoids", "question", "content", "messages", "input"}
)


class Place(Enum):
    """Where a string stands."""

    PROMPT = "under a key or in a column that holds prompts"
    NAMELESS = "in a page or a text, where nothing says what it is"
    OTHER = "a key, or under another key or in another column"


Piece = tuple[str, Place]


def pieces_of(path: Path) -> Iterator[Piece]:
    """Every string of a file.

    Raises:
        OSError, sqlite3.Error, polars.exceptions.PolarsError: it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"SQLite format 3"):
        yield from _cells(path)
    elif head.startswith(b"PAR1"):
        frame = pl.read_parquet(path, hive_partitioning=False)
        for column in frame.select(pl.selectors.string()):
            place = _place(column.name)
            yield from ((text, place) for text in column.drop_nulls())
    else:
        text = path.read_bytes().decode("utf-8", "replace")
        for packed in _PACKED_FIGURE.findall(text):
            yield from _strings(json.loads(gzip.decompress(base64.b64decode(packed))), Place.OTHER)
        yield from _split(text)


def _place(name: str) -> Place:
    return Place.PROMPT if name.lower() in _PROMPTS else Place.OTHER


def _split(text: str, place: Place = Place.NAMELESS) -> Iterator[Piece]:
    """Strings of a JSON document or of each of its lines, what stands between the tags of a page, or lines."""
    if text.lstrip()[:1] in ("{", "["):
        with suppress(ValueError):
            yield from _strings(json.loads(text), Place.OTHER)
            return
    for line in text.splitlines():
        if line.lstrip()[:1] == "{":
            with suppress(ValueError):
                yield from _strings(json.loads(line), Place.OTHER)
                continue
        yield html.unescape(line), place
    # a prompt of several lines
    yield html.unescape(text), place
    if "</" in text:
        yield from ((html.unescape(piece), place) for piece in _TAG.split(text))


def _strings(document: Any, place: Place) -> Iterator[Piece]:
    match document:
        case str():
            yield document, place
            if "<" in document or document[:1] in ("{", "["):
                # a label of the map, or JSON within JSON
                yield from _split(document, place)
        case dict():
            for key, value in document.items():
                yield key, Place.OTHER
                yield from _strings(value, _place(key))
        case list():
            for value in document:
                yield from _strings(value, place)


def _cells(path: Path) -> Iterator[Piece]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608  # its own table's name
            places = [_place(column[0]) for column in rows.description]
            for row in rows:
                for cell, place in zip(row, places, strict=True):
                    if isinstance(cell, str):
                        yield from _split(cell, place)

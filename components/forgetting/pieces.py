"""The strings in a file and where each stands: pages, reports, JSON documents, tables and SQLite databases."""

import base64
import bz2
import gzip
import html
import json
import lzma
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from enum import Enum
from pathlib import Path
from typing import Any

import polars as pl

from pointsman.errors import InputError
from pointsman.sizes import PACKED

LARGEST = 256 * 1024**2
"""Bytes of one packed file when it is unpacked; more isn't looked at."""
_OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_WIDE = (b"\xff\xfe", b"\xfe\xff")
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

    Files that gzip, bzip2, xz or zip packed are unpacked.

    Raises:
        InputError: it is packed in another way, or too large unpacked.
        Exception: it can't be read: of the operating system, JSON, SQLite, polars or whatever unpacks it.
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
    elif head.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(path) as packed:
            for member in packed.infolist():
                with packed.open(member) as file:
                    yield from _content(file.read(LARGEST + 1), f"{path}, {member.filename}")
    elif opener := next((one for magic, one in _OPENERS.items() if head.startswith(magic)), None):
        with opener(path, "rb") as file:
            yield from _content(file.read(LARGEST + 1), path)
    elif head.startswith(PACKED):
        raise InputError(f"{path} is packed")
    else:
        yield from _text(path.read_bytes())


def _content(unpacked: bytes, where: object) -> Iterator[Piece]:
    """Strings of what was unpacked, unless it has to be unpacked again."""
    if len(unpacked) > LARGEST:
        raise InputError(f"{where} has more than {LARGEST} bytes unpacked")
    if unpacked.startswith((*PACKED, *_OPENERS, b"PK\x03\x04", b"PAR1", b"SQLite format 3")):
        raise InputError(f"{where} holds what is packed again")
    yield from _text(unpacked)


def _text(content: bytes) -> Iterator[Piece]:
    text = content.decode("utf-16" if content.startswith(_WIDE) else "utf-8", "replace")
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

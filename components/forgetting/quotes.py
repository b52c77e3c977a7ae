"""Whether a file quotes a prompt: a long one by its beginning, a short one only where prompts stand."""

import lzma
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable
from enum import IntEnum
from pathlib import Path

import polars as pl

from components.forgetting.pieces import Piece, Place, pieces_of

BEGINNING = 40
"""Characters by which a prompt is known again: the shortest beginning that any page or report shows."""
SHORT = 24
"""A prompt of fewer characters must stand alone; 'yes' in the middle of a page says nothing."""
ARRAYS = frozenset({".npz", ".npy", ".safetensors", ".onnx", ".png", ".pyc", ".nbi", ".nbc"})
"""Suffixes of files without texts."""
VOCABULARY = "tokenizer.json"
"""Every word that an encoder knows, and no prompt."""


_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    sqlite3.Error,
    pl.exceptions.PolarsError,
)
"""Whatever a reader of a damaged, packed or forbidden file raises."""


class Found(IntEnum):
    """How sure it is that a file quotes a text."""

    UNKNOWN = -1
    """It can't be read: damaged, packed in a way that isn't unpacked, or not ours to read."""
    NO = 0
    PERHAPS = 1
    """A short text stands alone in a page or among lines, where it may be anything."""
    YES = 2


class Quotes:
    """Finds beginnings of texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        plain = {_plain(text) for text in texts} - {""}
        self._short = frozenset(text for text in plain if len(text) < SHORT)
        long = sorted({text[:BEGINNING] for text in plain if len(text) >= SHORT})
        self._long = re.compile("|".join(map(re.escape, long))) if long else None

    def among(self, pieces: Iterable[Piece]) -> Found:
        """Whether one of these strings quotes a text."""
        found = Found.NO
        for text, place in pieces:
            found = max(found, self._in(_plain(text), place))
            if found is Found.YES:
                break
        return found

    def within(self, path: Path) -> Found:
        """Whether a file quotes one; arrays, vocabularies and links don't."""
        if path.suffix in ARRAYS or path.name == VOCABULARY or path.is_symlink():
            return Found.NO
        try:
            return self.among(pieces_of(path))
        except FileNotFoundError:
            # it went meanwhile
            return Found.NO
        except _UNREADABLE:
            return Found.UNKNOWN

    def _in(self, text: str, place: Place) -> Found:
        if self._long is not None and self._long.search(text) is not None:
            return Found.YES
        if text not in self._short or place is Place.OTHER:
            return Found.NO
        return Found.YES if place is Place.PROMPT else Found.PERHAPS


def _plain(text: str) -> str:
    return " ".join(text.split())

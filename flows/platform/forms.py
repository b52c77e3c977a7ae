"""Fields of a run's form that hold nothing: what may stay empty is as if it hadn't been filled in."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _named(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("names no folder")
    return value


MAY_BE_EMPTY = BeforeValidator(_none_if_blank)
"""Of a field whose None has a meaning: a page may send '' for a field that was emptied, and `Path('')` is the current
folder.

>>> from pydantic import TypeAdapter
>>> TypeAdapter(Annotated[Path | None, MAY_BE_EMPTY]).validate_python("") is None
True
"""
Folder = Annotated[Path, BeforeValidator(_named)]
"""A folder that must be named."""

"""Frozen dataclasses of arrays on disk: one npz a dataclass."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


def save_arrays(value: Any, path: Path) -> None:
    """Writes every field of a dataclass of arrays; one that is None is left out, and is so by default when read."""
    arrays = {field.name: getattr(value, field.name) for field in fields(value)}
    save_named({name: array for name, array in arrays.items() if array is not None}, path)


def save_named(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Writes arrays by name."""
    np.savez(path, allow_pickle=False, **dict(arrays))


def load_arrays(kind: type[T], path: Path) -> T:
    """The dataclass again, each field an array as it was."""
    return kind(**load_named(path))


def load_named(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an npz file by name; no pickled objects."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}

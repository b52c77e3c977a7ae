"""JSON read by Python, which takes what polars doesn't and names the line of what nobody can read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pointsman.errors import InputError
from pointsman.json_text import loads

BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
"""What files in UTF-16 begin with."""


def json_lines(path: Path, *, torn: bool = False) -> Iterator[tuple[int, bytes, Any]]:
    """Number, bytes and value of each line that isn't blank; lines end at \\n alone.

    Args:
        path: of the file.
        torn: a last line without its end that isn't JSON was torn by a crash, and is left out.

    Raises:
        ValueError: a line that isn't UTF-8 or no JSON, by its number.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            text = line.removeprefix(BOM) if number == 1 else line
            if not text.strip():
                continue
            try:
                value = loads(text)
            except UnicodeDecodeError as error:
                wrong = f"line {number}, byte {error.start}: not UTF-8 ({error.reason})"
            except ValueError as error:
                wrong = f"line {number} isn't JSON: {error}"
            else:
                yield number, line, value
                continue
            if torn and not line.endswith((b"\n", b"\r")):
                return
            raise ValueError(wrong)


def rows_of_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file of JSON lines, which end at newlines only: U+2028 and its like stand inside prompts.

    Raises:
        InputError: a line that isn't UTF-8 or no JSON object, by its number.
    """
    try:
        for number, _line, row in json_lines(path):
            if not isinstance(row, dict):
                raise ValueError(f"line {number} must be an object, is {row!r:.40}")
            yield row
    except ValueError as error:
        raise InputError(f"{path}: can't be read as jsonl: {error}") from error


def document(path: Path) -> Any:
    """The content of a file of JSON.

    Raises:
        InputError: it is no JSON in UTF-8; names line and column, or byte.
    """
    raw = path.read_bytes().removeprefix(BOM)
    try:
        return loads(raw)
    except UnicodeDecodeError as error:
        line, byte = place(raw, error.start)
        raise InputError(
            f"{path}: can't be read as json: line {line}, byte {byte}: not UTF-8 ({error.reason})"
        ) from error
    except ValueError as error:
        raise InputError(f"{path}: can't be read as json: {error}") from error


def place(raw: bytes, start: int) -> tuple[int, int]:
    r"""Line, from 1, and byte in it, from 0, of a byte of a file.

    >>> place(b"ab\ncd", 4)
    (2, 1)
    """
    return raw.count(b"\n", 0, start) + 1, start - (raw.rfind(b"\n", 0, start) + 1)

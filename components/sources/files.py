"""Log files as records: lines of JSON, arrays and answers of an API, folders; plain, gzip or zstd."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from components.tables.arrow import unpacked
from components.tables.errors import TableError
from pointsman.json_text import loads

_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PACKED = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd"}
LONGEST_LINE = 2**28
LARGEST = 2**32
"""Bytes of one JSON document that is read whole."""
_LISTS = ("data", "results", "observations", "spans", "logs", "rows", "items")
"""Where answers of APIs and exports keep their list of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a log."""

    path: Path
    number: int
    """Line or place in the list, from 1."""
    content: Any
    error: str | None = None
    """Why there is no object to read; then `content` is what was found."""


def suffix_of(path: Path) -> str:
    """A file's suffix without that of its compression, in small letters.

    >>> suffix_of(Path("spend.JSONL.gz"))
    '.jsonl'
    """
    names = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(names) if suffix not in _PACKED), "")


def listed(paths: Iterable[Path], suffixes: Sequence[str]) -> list[Path]:
    """Files as given, and of folders all files (in folders below too) with one of the suffixes, by name.

    Raises:
        TableError: a path isn't there, or a folder holds no such file.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.is_file() and suffix_of(one) in suffixes)
            if not found:
                raise TableError(f"{path}: holds no file that ends in {', '.join(suffixes)}")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise TableError(f"{path}: can't be read: no such file")
    return list(dict.fromkeys(files))


def opened(path: Path) -> IO[bytes]:
    """A file's bytes, unpacked where its name says so, without a byte-order mark.

    Raises:
        TableError: unreadable, or UTF-16.
    """
    try:
        file = path.open("rb")
        packing = _PACKED.get(path.suffix.lower())
        buffered = file if packing is None else unpacked(file, packing)
        head = buffered.peek(3)[:3]
    except OSError as error:
        raise TableError(f"{path}: can't be read: {error.strerror or error}") from error
    if head[:2] in _WIDE_BOMS:
        raise TableError(f"{path}: is UTF-16; save it as UTF-8")
    if head == _BOM:
        buffered.read(3)
    return buffered


def whole_text(path: Path) -> str:
    """A file's text.

    Raises:
        TableError: as `opened`, and text that isn't UTF-8.
    """
    with opened(path) as file:
        try:
            return _rest(path, file).decode("utf-8")
        except UnicodeDecodeError as error:
            raise TableError(f"{path}: can't be read as UTF-8 ({error}); save it as UTF-8") from error
        except OSError as error:
            raise TableError(f"{path}: can't be read: {error}") from error


def records(path: Path) -> Iterator[Record]:
    """The objects of a file: its lines, indented objects, or where it is one JSON document, those of its list.

    Lines end at a newline only, for U+2028 and its like stand inside prompts. A line that isn't an object is yielded
    with its error.

    Raises:
        TableError: as `opened`; a document without a list of objects.
    """
    with opened(path) as file:
        try:
            lines: Iterator[bytes] = _cut(path, file)
            number, head = next(((n, line) for n, line in enumerate(lines, start=1) if line.strip()), (1, b""))
            if head.lstrip()[:1] == b"[":
                yield from _document(path, json_of(path, head + _rest(path, file)))
                return
            if head.lstrip()[:1] == b"{" and not _is_json(head):
                raw = head + _rest(path, file)
                if _is_json(raw):
                    yield from _document(path, loads(raw))
                    return
                if head.strip() == b"{":
                    yield from _printed(path, number, raw)
                    return
                head, *after = raw.split(b"\n")
                lines = iter(after)
            yield from _lines(path, number, chain([head], lines))
        except OSError as error:
            raise TableError(f"{path}: can't be read: {error}") from error


def _cut(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    """Lines, none longer than any log's: a packed file of a megabyte can hold one of gigabytes."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise TableError(f"{path}: has a line of more than {LONGEST_LINE} bytes")
        yield line


def _rest(path: Path, file: IO[bytes]) -> bytes:
    rest = file.read(LARGEST)
    if len(rest) == LARGEST:
        raise TableError(f"{path}: is a JSON document of more than {LARGEST} bytes; lines of JSON may be longer")
    return rest


def json_of(path: Path, raw: bytes | str) -> Any:
    """A JSON document.

    Raises:
        TableError: it is none; names line and column.
    """
    try:
        return loads(raw)
    except ValueError as error:
        raise TableError(f"{path}: can't be read as JSON: {error}") from error


def _is_json(raw: bytes) -> bool:
    try:
        loads(raw)
    except ValueError:
        return False
    return True


def _lines(path: Path, start: int, lines: Iterable[bytes]) -> Iterator[Record]:
    """One record a line; a single line may be the whole answer of an API."""
    parsed = (_parsed(path, number, line) for number, line in enumerate(lines, start=start) if line.strip())
    first = next(parsed, None)
    if first is None:
        return
    second = next(parsed, None)
    rows = _rows(first.content) if second is None and first.error is None else None
    if rows is not None:
        yield from _numbered(path, rows)
        return
    yield first
    if second is not None:
        yield second
    yield from parsed


def _printed(path: Path, start: int, raw: bytes) -> Iterator[Record]:
    """Indented objects one after the other, each ending at a line that begins with its brace."""
    number, lines = start, list[bytes]()
    for place, line in enumerate(raw.split(b"\n"), start=start):
        if not lines:
            number = place
        lines.append(line)
        if line.startswith(b"}"):
            yield _parsed(path, number, b"\n".join(lines))
            lines = []
    if any(line.strip() for line in lines):
        yield _parsed(path, number, b"\n".join(lines))


def _parsed(path: Path, number: int, line: bytes) -> Record:
    try:
        content = loads(line)
    except ValueError:
        return Record(path=path, number=number, content=line[:80], error="not a line of JSON")
    if not isinstance(content, dict):
        return Record(path=path, number=number, content=content, error="not a JSON object")
    return Record(path=path, number=number, content=content)


def _document(path: Path, content: Any) -> Iterator[Record]:
    rows = content if isinstance(content, list) else _rows(content)
    yield from _numbered(path, [content] if rows is None else rows)


def _rows(content: Any) -> list[Any] | None:
    """The list of objects in an answer of an API; None: the object is a row itself."""
    for name in _LISTS:
        rows = content.get(name) if isinstance(content, dict) else None
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows) and "id" not in content:
            return rows
    return None


def _numbered(path: Path, rows: Sequence[Any]) -> Iterator[Record]:
    for number, row in enumerate(rows, start=1):
        error = None if isinstance(row, dict) else "not a JSON object"
        yield Record(path=path, number=number, content=row, error=error)

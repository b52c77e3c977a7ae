"""One file of a table as a frame: parquet, jsonl or json, checked for size before it is decoded."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from components.tables.arrow import parquet_size
from components.tables.errors import TableError
from components.tables.json_text import loads
from components.tables.schema import TableSchema
from pointsman.sizes import PACKED
from pointsman.text.conversation import DEFAULT, ConversationConfig, ConversationError, routed_messages

SUFFIXES = (".parquet", ".jsonl", ".json")
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """Largest table that is read at all: a small file can hold more than a machine can."""

    rows: int = 5_000_000
    """Rows of a parquet file, as its footer says, >= 1."""
    size: int = 8 * 2**30
    """Bytes: of text files on disk, of parquet when decompressed, >= 1."""


LIMITS = ReadLimits()


def read_frame(
    path: Path, schema: TableSchema, limits: ReadLimits = LIMITS, conversation: ConversationConfig = DEFAULT
) -> pl.DataFrame:
    """A file as it is, but prompts given as lists of messages become their routed text.

    Args:
        path: of the file.
        schema: of its table.
        limits: of its size.
        conversation: which turns of messages are routed.

    Raises:
        TableError: unreadable or too large; text formats name the line, or the line and column.
    """
    try:
        match path.suffix:
            case ".parquet":
                _check_footer(path, limits)
                return _texts_for_messages(pl.read_parquet(path, hive_partitioning=False), conversation)
            case ".jsonl":
                return _read_text(path, schema, limits, pl.read_ndjson, _lines, conversation)
            case _:
                return _read_text(path, schema, limits, pl.read_json, _array, conversation)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: {error}") from error


def _check_footer(path: Path, limits: ReadLimits) -> None:
    rows, size = parquet_size(path)
    if rows > limits.rows:
        raise TableError(f"{path}: has {rows} rows, more than {limits.rows} that are read; a sample will do")
    if size > limits.size:
        raise TableError(f"{path}: has {size} bytes decompressed, more than {limits.size} that are read")


def _read_text(
    path: Path,
    schema: TableSchema,
    limits: ReadLimits,
    fast: Callable[..., pl.DataFrame],
    careful: Callable[[Path, TableSchema], Iterable[Mapping[str, Any]]],
    conversation: ConversationConfig,
) -> pl.DataFrame:
    """By polars; where that fails (NaN of Python, an object by model, mixed types) by Python, which names the line."""
    if path.stat().st_size > limits.size:
        raise TableError(f"{path}: has {path.stat().st_size} bytes, more than {limits.size} that are read")
    with path.open("rb") as file:
        head = file.read(4)
    by_key = head.lstrip()[:1] == b"{" and path.suffix == ".json"
    if head.startswith(PACKED):
        raise TableError(f"{path}: is packed; unpack it first")
    if head[:2] in _WIDE_BOMS:
        raise TableError(f"{path}: is UTF-16; save it as UTF-8")
    if not head.startswith(_BOM) and not by_key:
        try:
            return _texts_for_messages(fast(path, infer_schema_length=None), conversation)
        except pl.exceptions.PolarsError:
            pass
    rows = list(careful(path, schema))
    if not rows:
        raise TableError(f"{path}: can't be read as {path.suffix[1:]}: it holds no row")
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    for name in {"prompt", "messages"} & set(columns):
        columns[name] = [_text_for_messages(value, conversation) for value in columns[name]]
    return pl.DataFrame({name: _column(path, name, values) for name, values in columns.items()})


def _lines(path: Path, _: TableSchema) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            text = line.removeprefix(_BOM) if number == 1 else line
            try:
                row = loads(text)
            except UnicodeDecodeError as error:
                raise TableError(
                    f"{path}: can't be read as jsonl: line {number}, byte {error.start}: not UTF-8 ({error.reason})"
                ) from error
            except ValueError as error:
                raise TableError(f"{path}: can't be read as jsonl: line {number} isn't JSON: {error}") from error
            if not isinstance(row, dict):
                raise TableError(f"{path}: can't be read as jsonl: line {number} must be an object, is {row!r:.40}")
            yield row


def _array(path: Path, schema: TableSchema) -> Iterator[dict[str, Any]]:
    """Rows of a list of objects, or of one object that has them by their key: {"model-a": {"provider": ..}, ..}."""
    raw = path.read_bytes().removeprefix(_BOM)
    try:
        content = loads(raw)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = error.start - (raw.rfind(b"\n", 0, error.start) + 1)
        raise TableError(
            f"{path}: can't be read as json: line {line}, byte {byte}: not UTF-8 ({error.reason})"
        ) from error
    except ValueError as error:
        raise TableError(f"{path}: can't be read as json: {error}") from error
    if isinstance(content, dict) and all(isinstance(row, dict) for row in content.values()):
        content = [{schema.key[0]: key} | row for key, row in content.items()]
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise TableError(f"{path}: must be a list of objects, or an object of objects by {schema.key[0]}")
    yield from content


def _column(path: Path, name: str, values: list[Any]) -> pl.Series:
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        pass
    try:  # whole numbers and NaN in one column
        return pl.Series(name, values, dtype=pl.Float64, strict=True)
    except (TypeError, pl.exceptions.PolarsError):
        kinds = {type(value) for value in values if value is not None}
        if dict in kinds or list in kinds:
            # none of a table's own columns is nested like this, so it needn't be read
            return pl.Series(name, [None] * len(values), dtype=pl.String)
        return pl.Series(name, [None if value is None else str(value) for value in values])


def _texts_for_messages(frame: pl.DataFrame, conversation: ConversationConfig) -> pl.DataFrame:
    for name in ("prompt", "messages"):
        if name not in frame.columns:
            continue
        if frame.schema[name] == pl.String:
            # polars makes JSON text of a column that holds texts and lists
            said = frame[name].str.contains(r"^\s*\[\s*\{.*\"role\"").fill_null(False)
            if not said.any():
                continue
            rows = zip(frame[name].to_list(), said.to_list(), strict=True)
            values = [_decoded(value) if is_said else value for value, is_said in rows]
        elif isinstance(frame.schema[name], pl.List):
            values = frame[name].to_list()
        else:
            continue
        texts = [_text_for_messages(value, conversation) for value in values]
        frame = frame.with_columns(pl.Series(name, texts, dtype=pl.String))
    return frame


def _decoded(text: str) -> Any:
    try:
        return loads(text)
    except ValueError:
        return text


def _text_for_messages(value: Any, conversation: ConversationConfig) -> Any:
    """A conversation's routed text, blank where it has none (quarantine names the row); other values as they are."""
    if not isinstance(value, list):
        return value
    try:
        return routed_messages(value, conversation).text
    except ConversationError:
        return json.dumps(value) if value and not isinstance(value[0], dict) else ""

"""Tables with one row a prompt and one column a model, or one row a call: csv as spreadsheets and papers write it."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from components.sources.call import Call, Read, ReadOptions, RowError, each
from components.sources.fields import UNKNOWN, count_of, number_of, plain, quality_of, text_of, time_of
from components.sources.files import Record, whole_text
from components.tables.errors import TableError

csv.field_size_limit(2**31 - 1)
_PROMPTS = ("prompt", "question", "query", "input", "instruction")
_OWN = {
    "prompt_id": ("prompt_id", "sample_id", "question_id", "id"),
    "benchmark": ("benchmark", "eval_name", "dataset", "task_name", "task"),
    "subject": ("subject", "category"),
    "language": ("language", "lang"),
    "reference": ("reference", "target", "ground_truth", "gold"),
    "conversation_id": ("conversation_id", "session_id"),
    "created_at": ("created_at", "created_on", "timestamp"),
    "passed": ("oracle_model_to_route_to",),
}
_GRADES = ("quality", "score", "grade", "performance", "correct")
_ANSWERS = ("|model_response", "|response", "_response", "_answer", "_output")
_COSTS = ("|total_cost", "|cost", "_cost_usd", "_cost")
_SENT, _WRITTEN = ("|input_tokens", "_input_tokens"), ("|output_tokens", "_output_tokens")
_NO_NAME = re.compile(r"^(|Unnamed: \d+)$")
"""A column without a name: row numbers of pandas, or what a spreadsheet left at the end."""
_THOUSANDS = re.compile(r"^\s*\d{1,3}([, ]\d{3})+\s*$")
_DECIMAL_COMMA = re.compile(r"^\s*-?\d+,\d+\s*%?\s*$")
_LOOKED_AT = 200
"""Cells of a column that are looked at to tell grades from answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    prompt: str
    own: Mapping[str, str]
    models: tuple[str, ...]
    """Empty: one row a call."""
    passed: tuple[str, ...]
    """Columns that are neither."""


def read_wide_csv(paths: Sequence[Path], options: ReadOptions) -> Read:
    """A column `prompt` and one of grades a model; or columns `prompt`, `model` and `quality`.

    Blank cells are not observed. Delimiter and decimal comma are found out. Grades may be numbers, percent or true and
    false. Beside a model's column there may be `MODEL|total_cost`, `MODEL|model_response`, `MODEL|input_tokens` and
    `MODEL|output_tokens` (or with `_`); a column of text is never taken for grades.
    """
    for path in paths:
        yield from read_sheet(path, path.stem, options)


def read_sheet(
    path: Path, benchmark: str | None, options: ReadOptions, change: Callable[[str], str] | None = None
) -> Read:
    """Calls of one csv file.

    Args:
        path: the file.
        benchmark: label of prompts in files without one.
        options: what a person says of the log.
        change: what makes the prompt of the cell; None: it is the cell.
    """
    names, rows = _cells(path)
    sheet = _sheet(path, names, rows, options)
    read = partial(_wide if sheet.models else _long, sheet=sheet, benchmark=benchmark, options=options)
    if change is not None:
        rows = [row if row.error else _changed(row, sheet.prompt, change) for row in rows]
    yield from each(rows, read)


def _changed(row: Record, column: str, change: Callable[[str], str]) -> Record:
    return Record(path=row.path, number=row.number, content={**row.content, column: change(row.content[column])})


def _cells(path: Path) -> tuple[list[str], list[Record]]:
    """Column names in small letters where they are ours, and rows as objects by name; shifted rows have an error."""
    text = whole_text(path)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(reader, [])]
        known = {*_PROMPTS, "model", *_GRADES, *(one for ours in _OWN.values() for one in ours)}
        names = [name.lower() if name.lower() in known else name for name in names]
        named = [name for name in names if not _NO_NAME.match(name)]
        if len(set(named)) < len(named):
            twice = sorted({name for name in named if named.count(name) > 1})
            raise TableError(f"{path}: column(s) {twice} stand there twice")
        rows = [_row(path, reader.line_num, names, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise TableError(f"{path}: can't be read as csv: line {reader.line_num}: {error}") from error
    return named, rows


def _row(path: Path, number: int, names: list[str], cells: list[str]) -> Record:
    if len(cells) == len(names):
        named = {name: cell for name, cell in zip(names, cells, strict=True) if not _NO_NAME.match(name)}
        return Record(path=path, number=number, content=named)
    error = f"{'more' if len(cells) > len(names) else 'fewer'} cells than columns: the row is shifted"
    return Record(path=path, number=number, content=len(cells), error=error)


def _sheet(path: Path, names: list[str], rows: Sequence[Record], options: ReadOptions) -> _Sheet:
    prompt = next((name for name in _PROMPTS if name in names), None)
    own = {ours: next(name for name in named if name in names) for ours, named in _OWN.items() if {*named} & {*names}}
    if prompt is None:
        raise TableError(f"{path}: needs a column 'prompt' and one column per model; found {names[:20]}")
    if "model" in names and {*_GRADES, options.metric} & {*names}:
        return _Sheet(prompt=prompt, own=own, models=(), passed=())
    if "model" in names and not _holds_grades("model", rows):
        raise TableError(
            f"{path}: has one row a call, but no column of grades ({', '.join(_GRADES)}; --metric names another); "
            f"found {names[:20]}"
        )
    rest = [name for name in names if name != prompt and name not in own.values()]
    beside = (*_ANSWERS, *_COSTS, *_SENT, *_WRITTEN)
    open_ = [name for name in rest if "|" not in name and not any(_stem(name, end) in rest for end in beside)]
    models = [name for name in open_ if _holds_grades(name, rows)]
    if not models:
        raise TableError(
            f"{path}: needs a column 'prompt' and one column per model; found {names[:20]}"
            + (f", but the cells of {open_[:5]} are no grades" if open_ else "")
        )
    return _Sheet(prompt=prompt, own=own, models=tuple(models), passed=tuple(n for n in open_ if n not in models))


def _stem(name: str, end: str) -> str | None:
    """The model that a column stands beside, if it ends so."""
    return name.removesuffix(end) if name.endswith(end) and name != end else None


def _holds_grades(name: str, rows: Sequence[Record]) -> bool:
    """Whether most of a column's cells can be read as numbers or truths; an empty column holds none."""
    cells = [row.content[name] for row in rows[:_LOOKED_AT] if row.error is None]
    filled = [cell for cell in cells if cell.strip().lower() not in UNKNOWN]
    return sum(_is_grade(cell) for cell in filled) > len(filled) / 2


def _is_grade(cell: str) -> bool:
    try:
        quality_of(_point(cell), ReadOptions())
    except RowError as error:
        return error.outside is not None
    return True


def _point(cell: str) -> str:
    return cell.replace(",", ".") if _DECIMAL_COMMA.match(cell) else cell


def _count(row: Mapping[str, str], *names: str) -> int | None:
    """A number of tokens, which has no decimals: a comma or blank before three digits parts thousands."""
    cells = {name: row[name] for name in names if name in row}
    whole = {name: re.sub("[, ]", "", cell) if _THOUSANDS.match(cell) else cell for name, cell in cells.items()}
    return count_of(whole, *names)


def _shared(row: Mapping[str, str], sheet: _Sheet, benchmark: str | None) -> dict[str, object]:
    """Fields that are of the prompt."""
    prompt = text_of(row, sheet.prompt)
    if prompt is None:
        raise RowError("the prompt is empty")
    of_prompt = {ours: text_of(row, name) for ours, name in sheet.own.items() if ours not in ("created_at", "passed")}
    of_prompt["benchmark"] = of_prompt.get("benchmark") or benchmark
    return {**plain(prompt), **of_prompt, "created_at": time_of(row.get(sheet.own.get("created_at", "")))}


def _wide(row: Mapping[str, str], _: Path, *, sheet: _Sheet, benchmark: str | None, options: ReadOptions) -> list[Call]:
    shared = _shared(row, sheet, benchmark)
    calls = []
    for model in sheet.models:
        quality = quality_of(_point(row[model]), options)
        if quality is None:
            continue
        points = {name: _point(cell) for name, cell in row.items() if name.startswith(model)}
        calls.append(
            Call(
                model=model,
                **shared,  # type: ignore[arg-type]
                quality=quality,
                cost_usd=number_of(points, *(model + end for end in _COSTS)),
                input_tokens=_count(row, *(model + end for end in _SENT)),
                output_tokens=_count(row, *(model + end for end in _WRITTEN)),
                remarks=()
                if model != sheet.models[0]
                else tuple(f"column '{name}' passed over: its cells are no grades" for name in sheet.passed),
            )
        )
    return calls


def _long(row: Mapping[str, str], _: Path, *, sheet: _Sheet, benchmark: str | None, options: ReadOptions) -> list[Call]:
    model = text_of(row, "model")
    if model is None:
        raise RowError("no model is named")
    grade = next(row[name] for name in (options.metric or "", *_GRADES) if name in row)
    points = {name: _point(cell) for name, cell in row.items()}
    return [
        Call(
            model=model,
            **_shared(row, sheet, benchmark),  # type: ignore[arg-type]
            quality=quality_of(_point(grade), options),
            cost_usd=number_of(points, "cost_usd", "cost", "total_cost"),
            input_tokens=_count(row, "input_tokens", "prompt_tokens"),
            output_tokens=_count(row, "output_tokens", "completion_tokens"),
            latency_ms=number_of(points, "latency_ms"),
            response=text_of(row, "response", "answer") if options.responses else None,
        )
    ]

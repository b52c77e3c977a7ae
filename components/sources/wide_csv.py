"""Tables with one row a prompt and one column a model, or one row a call: csv as spreadsheets and papers write it."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from components.sources.call import Call, Read, ReadOptions, RowError, each
from components.sources.fields import plain, quality_of, text_of, time_of
from components.sources.files import Record, whole_text
from components.sources.spreadsheet_cells import figure, point, whole_figure
from components.sources.spreadsheet_columns import GRADES, OWN, PROMPTS, SUMS, Sheet, sheet_of
from components.tables.errors import TableError

csv.field_size_limit(2**31 - 1)
_NO_NAME = re.compile(r"^(|Unnamed: \d+)$")
"""A column without a name: row numbers of pandas, or what a spreadsheet left at the end."""


def read_wide_csv(paths: Sequence[Path], options: ReadOptions) -> Read:
    """A column `prompt` and one of grades a model; or columns `prompt`, `model` and `quality`.

    Blank cells are not observed. Delimiter and decimal comma are found out. Grades may be numbers, percent or true and
    false; a cell that is no grade takes no other of its row away. Beside a model's column there may be
    `MODEL|total_cost`, `MODEL|model_response`, `MODEL|input_tokens`, `MODEL|output_tokens` and `MODEL|latency_ms` (or
    with `_`); a column of text is never taken for grades. A figure beside a grade that can't be read is unknown.
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
    names, rows, delimiter = _cells(path)
    rows = _without_sums(rows)
    sheet = sheet_of(path, names, rows, delimiter, options)
    read = partial(_wide if sheet.models else _long, sheet=sheet, benchmark=benchmark, options=options)
    if change is not None:
        rows = [row if row.error else _changed(row, sheet.prompt, change) for row in rows]
    yield from each(rows, read)


def _changed(row: Record, column: str, change: Callable[[str], str]) -> Record:
    return Record(path=row.path, number=row.number, content={**row.content, column: change(row.content[column])})


def _without_sums(rows: list[Record]) -> list[Record]:
    """The rows, those at the end that sum up others with an error."""
    kept = len(rows)
    while kept and rows[kept - 1].error is None and _sums_up(rows[kept - 1].content):
        kept -= 1
    return rows[:kept] + [replace(row, error="the row sums up others") for row in rows[kept:]]


def _sums_up(cells: Mapping[str, str]) -> bool:
    prompt = next((cells[name] for name in PROMPTS if name in cells), "")
    return prompt.strip().rstrip(":").lower() in SUMS


def _cells(path: Path) -> tuple[list[str], list[Record], str]:
    """Column names in small letters where they are ours, rows as objects by name, and what parts the cells.

    Shifted rows have an error.
    """
    text = whole_text(path)
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in next(reader, [])]
        known = {*PROMPTS, "model", *GRADES, *(one for ours in OWN.values() for one in ours)}
        names = [name.lower() if name.lower() in known else name for name in names]
        named = [name for name in names if not _NO_NAME.match(name)]
        if len(set(named)) < len(named):
            twice = sorted({name for name in named if named.count(name) > 1})
            raise TableError(f"{path}: column(s) {twice} stand there twice")
        rows = [_row(path, reader.line_num, names, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise TableError(f"{path}: can't be read as csv: line {reader.line_num}: {error}") from error
    return named, rows, delimiter


def _row(path: Path, number: int, names: list[str], cells: list[str]) -> Record:
    if len(cells) == len(names):
        named = {name: cell for name, cell in zip(names, cells, strict=True) if not _NO_NAME.match(name)}
        return Record(path=path, number=number, content=named)
    error = f"{'more' if len(cells) > len(names) else 'fewer'} cells than columns: the row is shifted"
    return Record(path=path, number=number, content=len(cells), error=error)


def _shared(row: Mapping[str, str], sheet: Sheet, benchmark: str | None) -> tuple[dict[str, object], list[str]]:
    """Fields that are of the prompt, and remarks."""
    prompt = text_of(row, sheet.prompt)
    if prompt is None:
        raise RowError("the prompt is empty")
    of_prompt = {ours: text_of(row, name) for ours, name in sheet.own.items() if ours not in ("created_at", "passed")}
    of_prompt["benchmark"] = of_prompt.get("benchmark") or benchmark
    try:
        moment, remarks = time_of(row.get(sheet.own.get("created_at", ""))), list(sheet.remarks)
    except RowError:
        moment, remarks = None, [*sheet.remarks, "created_at can't be read: unknown"]
    return {**plain(prompt), **of_prompt, "created_at": moment}, remarks


def _figures(row: Mapping[str, str], sheet: Sheet, model: str) -> tuple[dict[str, float | int | None], list[str]]:
    """Figures beside a grade, and remarks: one that can't be read takes no grade away."""
    found: dict[str, float | int | None] = {}
    remarks = []
    for kind, columns in sheet.figures[model].items():
        column = next((name for name in columns if row[name].strip()), None)
        try:
            if column is not None and kind.endswith("_tokens"):
                found[kind] = whole_figure(kind, row[column], sheet.commas)
            elif column is not None:
                number = figure(kind, row[column], sheet.commas)
                found[kind] = None if number is None else number * columns[column]
        except RowError:
            remarks.append(f"{kind} can't be read: unknown")
    return found, remarks


def _wide(
    row: Mapping[str, str], _: Path, *, sheet: Sheet, benchmark: str | None, options: ReadOptions
) -> list[Call | RowError]:
    """A call for each grade, and for each cell that is none why: the prompt's other grades are as good as before."""
    shared, remarks = _shared(row, sheet, benchmark)
    calls: list[Call | RowError] = []
    for model, column in sheet.models.items():
        try:
            quality = quality_of(point(row[column]), options)
        except RowError as error:
            calls.append(RowError(error.reason, f"{row[column]} in column {column}", error.outside))
            continue
        if quality is None:
            continue
        figures, unread = _figures(row, sheet, model)
        said, remarks = (*remarks, *unread), []
        calls.append(Call(model=model, **shared, **figures, quality=quality, remarks=said))  # type: ignore[arg-type]
    return calls


def _long(row: Mapping[str, str], _: Path, *, sheet: Sheet, benchmark: str | None, options: ReadOptions) -> list[Call]:
    model = text_of(row, "model")
    if model is None:
        raise RowError("no model is named")
    shared, remarks = _shared(row, sheet, benchmark)
    figures, unread = _figures(row, sheet, "")
    return [
        Call(
            model=model,
            **shared,  # type: ignore[arg-type]
            **figures,  # type: ignore[arg-type]
            quality=quality_of(point(row[sheet.grade]), options),
            response=text_of(row, "response", "answer") if options.responses else None,
            remarks=(*remarks, *unread),
        )
    ]

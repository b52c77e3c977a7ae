"""What the columns of a spreadsheet hold: prompts, grades of models, figures beside them, and what is passed over."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.sources.call import ReadOptions
from components.sources.fields import UNKNOWN
from components.sources.files import Record
from components.sources.spreadsheet_cells import decimal_commas, is_grade
from components.tables.errors import TableError

PROMPTS = ("prompt", "question", "query", "input", "instruction")
OWN = {
    "prompt_id": ("prompt_id", "sample_id", "question_id", "id"),
    "benchmark": ("benchmark", "eval_name", "dataset", "task_name", "task"),
    "subject": ("subject", "category"),
    "language": ("language", "lang"),
    "reference": ("reference", "target", "ground_truth", "gold"),
    "conversation_id": ("conversation_id", "session_id"),
    "created_at": ("created_at", "created_on", "timestamp"),
    "passed": ("oracle_model_to_route_to",),
}
GRADES = ("quality", "score", "grade", "performance", "correct")
SUMS = frozenset(
    {"average", "avg", "mean", "median", "total", "totals", "sum", "overall", "oracle", "max", "min", "best"}
)
"""Whole names of columns and rows that sum up others."""
_OF_A_MODEL = ("quality", "score", "grade", "is_correct", "correct")
_ANSWERS = ("|model_response", "|response", "_response", "_answer", "_output")
_FIGURES = {
    "cost_usd": {"total_cost": 1.0, "cost_usd": 1.0, "cost": 1.0},
    "input_tokens": {"input_tokens": 1.0},
    "output_tokens": {"output_tokens": 1.0},
    "latency_ms": {"latency_ms": 1.0, "latency_s": 1e3, "latency_seconds": 1e3},
}
"""Names of columns of a figure behind MODEL| or MODEL_, and the factor to its unit."""
_OF_A_CALL = {
    "cost_usd": {"cost_usd": 1.0, "cost": 1.0, "total_cost": 1.0},
    "input_tokens": {"input_tokens": 1.0, "prompt_tokens": 1.0},
    "output_tokens": {"output_tokens": 1.0, "completion_tokens": 1.0},
    "latency_ms": {"latency_ms": 1.0, "latency_s": 1e3, "latency_seconds": 1e3},
}
_NO_GRADES = re.compile(
    r"latency(?:[ _]?(?:m?s|secs?|seconds))?$|(?:^|[|_ -])(?:cost(?:[ _](?:usd|eur))?|usd|price|tokens)$"
    r"|(?:^|[|_ ])(?:ms|secs|seconds|duration)$|[(\[](?:m?s|secs?|seconds|usd|eur|\$|€)[)\]]$",
    re.IGNORECASE,
)
_LOOKED_AT = 200
"""Cells of a column that are looked at to tell grades from answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What each column of a file is."""

    prompt: str
    own: Mapping[str, str]
    """Columns of the prompt by our names."""
    models: Mapping[str, str]
    """Columns of grades by model; empty: one row a call."""
    grade: str = ""
    """Column of grades, of one row a call."""
    figures: Mapping[str, Mapping[str, Mapping[str, float]]]
    """By model (of one row a call: ""), figure and column the factor to the figure's unit."""
    commas: bool
    """Figures have decimal commas."""
    remarks: tuple[str, ...] = ()
    """Columns that were passed over."""


def sheet_of(path: Path, names: Sequence[str], rows: Sequence[Record], delimiter: str, options: ReadOptions) -> Sheet:
    """What each column of a file is.

    A model's column has its name, or is MODEL_quality, _score, _grade or _correct. Columns of costs, times and tokens
    are never models, nor those that sum up others, nor grades whose model nothing names.

    Raises:
        TableError: no column of prompts or of grades; names the columns that are there.
    """
    prompt = next((name for name in PROMPTS if name in names), None)
    own = {ours: next(name for name in named if name in names) for ours, named in OWN.items() if {*named} & {*names}}
    if prompt is None:
        raise TableError(f"{path}: needs a column 'prompt' and one column per model; found {list(names[:20])}")
    grades = (options.metric,) if options.metric else GRADES
    grade = next((name for name in grades if name in names), None)
    if "model" in names and grade is not None:
        found = {"": _figures({name: name for name in names}, _OF_A_CALL)}
        commas = decimal_commas(_cells(rows, (grade, *_columns(found))), delimiter)
        return Sheet(prompt=prompt, own=own, models={}, grade=grade, figures=found, commas=commas)
    if "model" in names and not _holds_grades("model", rows):
        missing = (
            f"'{options.metric}'" if options.metric else f"of grades ({', '.join(GRADES)}; --metric names another)"
        )
        raise TableError(f"{path}: has one row a call, but no column {missing}; found {list(names[:20])}")
    rest = [name for name in names if name != prompt and name not in own.values()]
    models, passed = _models(rest, rows, options.metric)
    if not models:
        open_ = [name for name in rest if "|" not in name and name not in GRADES]
        wanted = f"'MODEL_{options.metric}'" if options.metric else "'prompt' and one column per model"
        raise TableError(
            f"{path}: needs a column {wanted}; found {list(names[:20])}"
            + (f", but the cells of {open_[:5]} are no grades" if open_ and not options.metric else "")
        )
    figures = {model: _beside(model, rest) for model in models}
    used = _columns(figures)
    idle = [name for name in rest if _NO_GRADES.search(name) and name not in used and name not in models.values()]
    passed |= dict.fromkeys(idle, "costs, times and tokens are no grades")
    commas = decimal_commas(_cells(rows, (*models.values(), *used)), delimiter)
    remarks = tuple(f"column '{name}' passed over: {why}" for name, why in passed.items())
    return Sheet(prompt=prompt, own=own, models=models, figures=figures, commas=commas, remarks=remarks)


def _models(rest: Sequence[str], rows: Sequence[Record], metric: str | None) -> tuple[dict[str, str], dict[str, str]]:
    """Columns of grades by model, in the file's order, and why other columns are none."""
    stems = {name: _stem(name, (metric,) if metric else _OF_A_MODEL) for name in rest}
    beside = {*rest, *(stem for stem in stems.values() if stem)}
    open_ = [
        name
        for name in rest
        if (stems[name] or "|" not in name)
        and not _NO_GRADES.search(name)
        and not any(name.endswith(end) and name.removesuffix(end) in beside for end in _ANSWERS)
    ]
    models: dict[str, str] = {}
    passed: dict[str, str] = {}
    # a column of the model's own name goes first, then the kinds of grades as they are listed
    for name in sorted(open_, key=lambda name: (stems[name] is not None, _rank(name))):
        model = stems[name] or name
        if metric and not stems[name]:
            continue
        if model.lower() in SUMS:
            passed[name] = "it sums up others"
        elif name in GRADES:
            passed[name] = "it names no model"
        elif not _holds_grades(name, rows):
            passed[name] = "its cells are no grades"
        elif model in models:
            passed[name] = "another one grades the model"
        else:
            models[model] = name
    return {model: models[model] for model in sorted(models, key=lambda model: rest.index(models[model]))}, passed


def _stem(name: str, ends: Sequence[str]) -> str | None:
    """The model that a column is of, if it ends so.

    >>> _stem("gpt-4o_score", ["score"]), _stem("Small Score", ["score"]), _stem("score", ["score"])
    ('gpt-4o', 'Small', None)
    """
    for end in ends:
        if len(name) > len(end) + 1 and name.lower().endswith(end.lower()) and name[-len(end) - 1] in "|_ ":
            return name[: -len(end) - 1].strip() or None
    return None


def _rank(name: str) -> int:
    return next((place for place, end in enumerate(_OF_A_MODEL) if _stem(name, [end])), len(_OF_A_MODEL))


def _beside(model: str, rest: Sequence[str]) -> dict[str, dict[str, float]]:
    """Columns of a model's figures."""
    ends = {name[len(model) + 1 :].lower().replace(" ", "_"): name for name in rest if name[: len(model)] == model}
    whole = {end: name for end, name in ends.items() if name[len(model) : len(model) + 1] in ("|", "_", " ")}
    return _figures(whole, _FIGURES)


def _figures(named: Mapping[str, str], known: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    found = {kind: {named[end]: unit for end, unit in ends.items() if end in named} for kind, ends in known.items()}
    return {kind: columns for kind, columns in found.items() if columns}


def _columns(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> set[str]:
    return {name for kinds in figures.values() for columns in kinds.values() for name in columns}


def _cells(rows: Sequence[Record], names: Sequence[str]) -> Iterator[str]:
    return (row.content[name] for row in rows if row.error is None for name in names)


def _holds_grades(name: str, rows: Sequence[Record]) -> bool:
    """Whether most of a column's cells can be read as numbers or truths; an empty column holds none."""
    cells = [row.content[name] for row in rows[:_LOOKED_AT] if row.error is None]
    filled = [cell for cell in cells if cell.strip().lower() not in UNKNOWN]
    return sum(is_grade(cell) for cell in filled) > len(filled) / 2

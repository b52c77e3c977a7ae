"""Exports of Langfuse: observations, traces and scores, from its API, its tables or blob storage."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, NO_GRADE, Call, Grade, Read, ReadOptions, RowError, Unusable, each
from components.sources.fields import (
    answer_of,
    asked_in,
    count_of,
    decoded,
    latency_ms,
    number_of,
    object_of,
    quality_of,
    text_of,
    time_of,
)
from components.sources.files import Record
from components.sources.langfuse_records import is_generation, is_score, langfuse_records
from components.tables.errors import TableError

_FEEDBACK = ("feedback", "thumb", "user", "rating", "like")
_CACHED = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read", "cached_tokens")


def read_langfuse(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Generations are calls; scores of an observation, or of a trace's last generation, are grades.

    Names may be written as the API does (`traceId`) or as blob storage does (`trace_id`). Where scores have several
    names, `--metric` says which; without it the one with most values that are grades. People's annotations are trusted
    more than evaluators.

    Raises:
        TableError: unreadable; scores without what they grade; no score has the metric's name.
    """
    found = [record for path in paths for record in langfuse_records(path, options.metric)]
    scores = [record for record in found if record.error is None and _may_grade(record.content)]
    options.check_metric(paths[0], {str(record.content.get("name")) for record in scores})
    metric = options.metric or _usual([record.content for record in scores], options)
    chosen = [record for record in scores if record.content.get("name") == metric]
    grades: dict[str, list[Grade]] = defaultdict(list)
    yield from _graded(chosen, grades, options)
    sessions = {str(one.content.get("id")): text_of(one.content, "session_id") for one in found if one.error is None}
    last: dict[str, tuple[str, str]] = {}
    for record in found:
        if record.error is None and is_generation(record.content):
            trace, start = str(record.content.get("trace_id")), str(record.content.get("start_time"))
            last[trace] = max(last.get(trace, ("", "")), (start, str(record.content.get("id"))))
    rows = [one for one in found if one.error is not None or is_generation(one.content)]
    if scores and not rows:
        raise TableError(f"{paths[0]}: scores alone: give the observations that they grade in the same import")
    passed = len(scores) - len(chosen)
    yield from each(rows, partial(_call, grades=grades, sessions=sessions, last=last, options=options))
    if passed:
        yield Unusable(
            file=scores[0].path.name,
            row=scores[0].number,
            reason=f"scores other than '{metric}' (--metric NAME chooses another)",
            detail=f"{passed} scores of other names",
        )


def _may_grade(row: Mapping[str, Any]) -> bool:
    """Whether a record is a score that may be a grade: comments and corrections are texts."""
    return is_score(row) and row.get("data_type") not in ("TEXT", "CORRECTION")


def _usual(scores: Sequence[Mapping[str, Any]], options: ReadOptions) -> str:
    names = [str(row.get("name")) for row in scores]
    counts, grades = Counter(names), Counter[str]()
    for name, row in zip(names, scores, strict=True):
        try:
            grades[name] += _grade(row, options) is not None
        except RowError as error:
            # a grade on another scale is one
            grades[name] += error.reason != NO_GRADE
    return min(counts, key=lambda name: (-grades[name], -counts[name], name)) if counts else ""


def _grade(score: Mapping[str, Any], options: ReadOptions) -> float | None:
    """A score in [0, 1]: a category by what it is called, for its `value` is 0 unless a config gave it another.

    Truths and categories may stand in `value` as text.

    Raises:
        RowError: it is none, or lies outside its scale.
    """
    kind, value, said = score.get("data_type"), score.get("value"), score.get("string_value")
    if kind in ("BOOLEAN", "CATEGORICAL") and isinstance(value, str) and _is_word(value):
        said, value = value, None
    elif kind == "BOOLEAN" and number_of(score, "value") in (0, 1):
        return number_of(score, "value")
    called = isinstance(said, str) and bool(said.strip())
    if not called or (value is not None and (kind != "CATEGORICAL" or score.get("config_id"))):
        return quality_of(value, options)
    try:
        return quality_of(said, options)
    except RowError as error:
        raise (RowError(NO_GRADE, said) if error.outside is None else error) from None


def _is_word(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return bool(text.strip())
    return False


def _graded(scores: Sequence[Record], grades: dict[str, list[Grade]], options: ReadOptions) -> Iterator[Unusable]:
    for record in scores:
        row = record.content
        try:
            grade = _grade(row, options)
        except RowError as error:
            reason = error.reason if error.reason == NO_GRADE else f"score: {error.reason}"
            yield Unusable(
                file=record.path.name, row=record.number, reason=reason, detail=str(error), outside=error.outside
            )
            continue
        if grade is not None:
            key = text_of(row, "observation_id") or text_of(row, "trace_id") or ""
            grades[key].append(Grade(grader=str(row.get("name")), kind=_kind(row), grade=grade))


def _kind(score: Mapping[str, Any]) -> str:
    if score.get("source") == "ANNOTATION":
        return "person"
    name = str(score.get("name")).lower()
    return "feedback" if any(word in name for word in _FEEDBACK) else "judge"


def _call(
    row: Mapping[str, Any],
    _: Path,
    *,
    grades: Mapping[str, list[Grade]],
    sessions: Mapping[str, str | None],
    last: Mapping[str, tuple[str, str]],
    options: ReadOptions,
) -> Call:
    if row.get("level") == "ERROR":
        raise RowError(FAILED)
    model = text_of(row, "provided_model_name", "model", "model_name")
    if model is None:
        raise RowError("no model is named")
    trace, own = str(row.get("trace_id")), str(row.get("id"))
    usage, cost = _object(row, "usage_details", "usage"), _object(row, "cost_details")
    start, end = time_of(row.get("start_time")), time_of(row.get("end_time"))
    of_trace = grades.get(trace, []) if last.get(trace, ("", ""))[1] == own else []
    charged = number_of(cost, "total")
    charged = number_of(row, "calculated_total_cost", "total_cost", "cost") if charged is None else charged
    return Call(
        model=model,
        **asked_in(row.get("input"), options),
        call_id=text_of(row, "id"),
        conversation_id=text_of(row, "session_id") or sessions.get(trace) or text_of(row, "trace_id"),
        created_at=start,
        grades=(*grades.get(own, []), *of_trace),
        response=answer_of(decoded(row.get("output"))) if options.responses else None,
        input_tokens=_sent(usage, row),
        cached_tokens=count_of(usage, *_CACHED),
        output_tokens=_written(usage, row),
        cost_usd=charged or None,
        latency_ms=latency_ms(start, end),
    )


def _sent(usage: Mapping[str, Any], row: Mapping[str, Any]) -> int | None:
    """Input tokens with cached ones and other kinds: Langfuse counts those apart, LiteLLM now and then within too."""
    own = count_of(usage, "input", "input_tokens", "prompt_tokens")
    total, written = count_of(usage, "total", "total_tokens"), _written(usage, row)
    if own is not None:
        most = own + _apart(usage, "input_", ("cache_read_input_tokens", "cache_creation_input_tokens"))
        rest = most if total is None or written is None else total - written
        own = rest if own <= rest <= most else most
    return own or count_of(row, "prompt_tokens")


def _written(usage: Mapping[str, Any], row: Mapping[str, Any]) -> int | None:
    """Output tokens with those of reasoning: Langfuse takes each kind that it names out of `output`."""
    whole = count_of(usage, "completion_tokens") or count_of(row, "completion_tokens")
    own = count_of(usage, "output", "output_tokens")
    return whole if own is None else own + _apart(usage, "output_", ())


def _apart(usage: Mapping[str, Any], start: str, others: Sequence[str]) -> int:
    """Tokens of the kinds that are counted beside `input` or `output`."""
    kinds = [name for name in usage if name in others or (name.startswith(start) and name != f"{start}tokens")]
    # `input_tokens_details` are parts of the tokens beside it
    return sum(count_of(usage, name) or 0 for name in kinds if not isinstance(usage[name], dict))


def _object(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return object_of({name: decoded(row.get(name)) for name in names}, *names)

"""Exports of Langfuse: observations, traces and scores, from its API, its tables or blob storage."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, Call, Grade, Read, ReadOptions, RowError, Unusable, each
from components.sources.fields import (
    answer_of,
    asked_in,
    count_of,
    decoded,
    latency_ms,
    number_of,
    object_of,
    objects,
    quality_of,
    text_of,
    time_of,
)
from components.sources.files import Record, records
from components.tables.errors import TableError

_FEEDBACK = ("feedback", "thumb", "user", "rating", "like")
_CACHED = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read", "cached_tokens")


def read_langfuse(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Generations are calls; scores of an observation, or of a trace's last generation, are grades.

    Names may be written as the API does (`traceId`) or as blob storage does (`trace_id`). Where scores have several
    names, `--metric` says which; without it the one with most values. People's annotations are trusted more than
    evaluators.
    """
    found = [record for path in paths for record in _opened(records(path))]
    scores = [record for record in found if record.error is None and _is_score(record.content)]
    metric = options.metric or _usual([str(record.content.get("name")) for record in scores])
    chosen = [record for record in scores if record.content.get("name") == metric]
    grades: dict[str, list[Grade]] = defaultdict(list)
    yield from _graded(chosen, grades, options)
    sessions = {str(one.content.get("id")): text_of(one.content, "session_id") for one in found if one.error is None}
    last: dict[str, tuple[str, str]] = {}
    for record in found:
        if record.error is None and _is_generation(record.content):
            trace, start = str(record.content.get("trace_id")), str(record.content.get("start_time"))
            last[trace] = max(last.get(trace, ("", "")), (start, str(record.content.get("id"))))
    rows = [one for one in found if one.error is not None or _is_generation(one.content)]
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


def _opened(rows: Iterator[Record]) -> Iterator[Record]:
    """Rows with names in one spelling; traces opened into their observations and scores."""
    for row in rows:
        if row.error is not None:
            yield row
            continue
        content = {_snake(name): value for name, value in row.content.items()}
        inner = [(name, one) for name in ("observations", "scores", "traces") for one in objects(content.get(name))]
        yield Record(path=row.path, number=row.number, content=content)
        if inner:
            parts = [
                Record(path=row.path, number=row.number, content=_inside(one, name, content)) for name, one in inner
            ]
            yield from _opened(iter(parts))


def _inside(one: Mapping[str, Any], name: str, outer: Mapping[str, Any]) -> dict[str, Any]:
    trace = {} if name == "traces" else {"trace_id": outer.get("trace_id", outer.get("id"))}
    known = {_snake(key) for key in one}
    return {**one, **{key: value for key, value in trace.items() if key not in known}}


def _snake(name: str) -> str:
    """`calculatedTotalCost` is `calculated_total_cost`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _is_score(row: Mapping[str, Any]) -> bool:
    return (
        "name" in row and ("value" in row or "string_value" in row) and ("trace_id" in row or "observation_id" in row)
    )


def _is_generation(row: Mapping[str, Any]) -> bool:
    kind = row.get("type")
    return kind == "GENERATION" or (kind is None and "trace_id" in row and "input" in row and not _is_score(row))


def _usual(names: Sequence[str]) -> str:
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""


def _graded(scores: Sequence[Record], grades: dict[str, list[Grade]], options: ReadOptions) -> Iterator[Unusable]:
    for record in scores:
        row = record.content
        try:
            value = row.get("value") if row.get("value") is not None else row.get("string_value")
            grade = quality_of(value, options)
        except RowError as error:
            reason, outside = f"score: {error.reason}", error.outside
            yield Unusable(file=record.path.name, row=record.number, reason=reason, detail=str(error), outside=outside)
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
    """Input tokens with cached ones and other kinds: Langfuse counts those apart."""
    sent = count_of(usage, "input", "prompt_tokens") or count_of(row, "prompt_tokens")
    apart = ("cache_read_input_tokens", "cache_creation_input_tokens")
    return None if sent is None else sent + _apart(usage, "input_", apart)


def _written(usage: Mapping[str, Any], row: Mapping[str, Any]) -> int | None:
    """Output tokens with those of reasoning: Langfuse takes each kind that it names out of `output`."""
    whole = count_of(usage, "completion_tokens") or count_of(row, "completion_tokens")
    own = count_of(usage, "output")
    return whole if own is None else own + _apart(usage, "output_", ())


def _apart(usage: Mapping[str, Any], start: str, others: Sequence[str]) -> int:
    """Tokens of the kinds that are counted beside `input` or `output`."""
    kinds = [name for name in usage if name in others or (name.startswith(start) and name != f"{start}tokens")]
    return sum(count_of(usage, name) or 0 for name in kinds)


def _object(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return object_of({name: decoded(row.get(name)) for name in names}, *names)

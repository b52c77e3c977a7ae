"""Spans as OpenTelemetry's exporters write them, each with the events that were logged beside it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.sources.fields import decoded, object_of, objects, text_of
from components.sources.files import Record, records
from components.tables.errors import TableError

_OF_LOGS = ("event_name", "eventName", "observed_timestamp", "observedTimeUnixNano", "severity_number")
"""Fields that log records have and spans have not."""
_IDS = (("trace_id", "traceId"), ("span_id", "spanId"))
EVALUATION = "gen_ai.evaluation.result"
_RESPONSE = "gen_ai.response.id"


def spans_with_events(paths: Sequence[Path]) -> Iterator[Record]:
    """Spans of all files; what log records say of a span stands among its events, in the order of the files.

    Instrumentations write messages and evaluations as events of the span or as log records, which are exported by
    themselves. They are joined by trace and span; evaluations of an answer also by its `gen_ai.response.id`.

    Args:
        paths: lines or documents of JSON: spans, log records, or OTLP's `resourceSpans` and `resourceLogs`.

    Raises:
        TableError: unreadable, or log records alone.
    """
    spans: list[Record] = []
    logged: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    logs = 0
    for record in (record for path in paths for record in _opened(path)):
        if record.error is not None or not any(name in record.content for name in _OF_LOGS):
            spans.append(record)
            continue
        logs += 1
        event = _event(record.content)
        if span := _joined(record.content):
            logged[span].append(event)
        if event["name"] == EVALUATION and (answer := text_of(event["attributes"], _RESPONSE)):
            logged[answer].append(event)
    if logs and not spans:
        raise TableError(f"{paths[0]}: log records alone: give the spans that they belong to in the same import")
    for record in spans:
        yield record if record.error is not None or not logged else _told(record, logged)


def attributes_of(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span's attributes by dotted name; tables of spans have a column for each."""
    return flat(span.get("attributes")) or flat(below(span, "attributes."))


def ids_of(span: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Ids of trace and span, which stand in the record or in its context."""
    context = flat(span.get("context")) or below(span, "context.")
    trace, own = (text_of(span, *names) or text_of(context, names[0]) for names in _IDS)
    return trace, own


def flat(attributes: Any, prefix: str = "") -> dict[str, Any]:
    """Attributes by dotted name, from OTLP's list of keys and values, nested objects (Phoenix) or a flat object."""
    if isinstance(attributes, list):
        return {str(one.get("key")): _value(one.get("value")) for one in objects(attributes)}
    named: dict[str, Any] = {}
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if isinstance(value, dict) and value:
            named |= flat(value, f"{prefix}{name}.")
        named[f"{prefix}{name}"] = value
    return named


def below(fields: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Fields whose name starts so, without the prefix.

    >>> below({"attributes.llm.model_name": "m", "name": "chat"}, "attributes.")
    {'llm.model_name': 'm'}
    """
    return {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}


def nested(attributes: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list that is a value, JSON text, or flattened into names with numbers.

    >>> nested({"llm.prompts.1.prompt.text": "b", "llm.prompts.0.prompt.text": "a"}, "llm.prompts")
    [{'prompt.text': 'a'}, {'prompt.text': 'b'}]
    """
    whole = decoded(attributes.get(name))
    if isinstance(whole, list):
        return objects(whole)
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for path, value in below(attributes, f"{name}.").items():
        place, _, rest = path.partition(".")
        if place.isdecimal():
            found[int(place)][rest] = value
    return [found[place] for place in sorted(found)]


def _opened(path: Path) -> Iterator[Record]:
    """Records one by one, whether OTLP packs them or not."""
    number = 0
    for record in records(path):
        content = record.content if record.error is None else {}
        spans, logs = content.get("resourceSpans"), content.get("resourceLogs")
        if not isinstance(spans, list) and not isinstance(logs, list):
            yield record
            continue
        for scope in _inner(spans, "scopeSpans", "instrumentationLibrarySpans"):
            for span in objects(scope.get("spans")):
                number += 1
                yield Record(path=path, number=number, content=span)
        for scope in _inner(logs, "scopeLogs"):
            for one in objects(scope.get("logRecords")):
                yield Record(path=path, number=record.number, content={_OF_LOGS[0]: None, **one})


def _inner(groups: Any, *names: str) -> Iterator[dict[str, Any]]:
    for group in objects(groups):
        yield from next((found for name in names if (found := objects(group.get(name)))), [])


def _event(log: Mapping[str, Any]) -> dict[str, Any]:
    """A log record in the form of a span's event: what it says is in its attributes or in its body."""
    attributes, body = flat(log.get("attributes")), decoded(_value(log.get("body")))
    name = text_of(log, "event_name", "eventName") or text_of(attributes, "event.name")
    return {"name": name, "attributes": attributes | flat(body if isinstance(body, dict) else {"content": body})}


def _joined(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Trace and span, which the SDK's own exporter writes with 0x and the others without; None: it names none."""
    ids = tuple(one.removeprefix("0x") for one in ids_of(row) if one)
    return ids if len(ids) == len(_IDS) else None


def _told(record: Record, logged: Mapping[Any, list[dict[str, Any]]]) -> Record:
    span = record.content
    events = [*objects(span.get("events")), *logged.get(_joined(span), [])]
    answer = text_of(attributes_of(span), _RESPONSE)
    events += [event for event in logged.get(answer, []) if event not in events]
    return Record(path=record.path, number=record.number, content={**span, "events": events})


def _value(value: Any) -> Any:
    """OTLP's typed value."""
    if not isinstance(value, dict):
        return value
    if "arrayValue" in value:
        return [_value(one) for one in objects(object_of(value, "arrayValue").get("values"))]
    if "kvlistValue" in value:
        fields = objects(object_of(value, "kvlistValue").get("values"))
        return {str(one.get("key")): _value(one.get("value")) for one in fields}
    # whole numbers are written as text there; whoever needs a number reads both
    kinds = ("stringValue", "intValue", "doubleValue", "boolValue")
    return next((value[kind] for kind in kinds if kind in value), value)

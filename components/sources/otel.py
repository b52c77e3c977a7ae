"""Spans of calls to models: OpenTelemetry's GenAI conventions, older ones with it, and OpenInference."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, NO_SPAN, Call, Grade, Read, ReadOptions, RowError, each
from components.sources.fields import (
    asked,
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

_NO_CHAT = ("embeddings", "execute_tool", "invoke_agent", "create_agent", "retrieval")
_OF_MODELS = ("gen_ai.", "llm.", "openinference.")
"""How attributes of calls to models begin; an application's trace has spans of its database and network too."""
_KINDS = {"HUMAN": "person", "LLM": "judge", "CODE": "reference"}


def read_otel(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One span a row, or OTLP's JSON (`resourceSpans`); grades are events `gen_ai.evaluation.result` or annotations.

    Spans of tools, agents and embeddings are set aside. Conventions: GenAI (`gen_ai.*`: messages as attributes or as
    events), OpenInference (`llm.input_messages.N.message.*`).
    """
    for path in paths:
        yield from each(_spans(path), partial(_call, options=options))


def _spans(path: Path) -> Iterator[Record]:
    number = 0
    for record in records(path):
        content = record.content
        groups = content.get("resourceSpans") if record.error is None else None
        if not isinstance(groups, list):
            yield record
            continue
        for group in objects(groups):
            for scope in objects(group.get("scopeSpans") or group.get("instrumentationLibrarySpans")):
                for span in objects(scope.get("spans")):
                    number += 1
                    yield Record(path=path, number=number, content=span)


def _call(span: Mapping[str, Any], _: Path, *, options: ReadOptions) -> Call:
    attributes = _flat(span.get("attributes")) or _flat(_below(span, "attributes."))
    events = [(str(one.get("name")), _flat(one.get("attributes"))) for one in objects(span.get("events"))]
    operation = str(attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind") or "")
    if operation.lower() in _NO_CHAT or operation in ("EMBEDDING", "TOOL", "RETRIEVER", "CHAIN", "AGENT", "RERANKER"):
        raise RowError(NO_SPAN, operation)
    if not any(name.startswith(_OF_MODELS) for of in (attributes, *(inside for _, inside in events)) for name in of):
        raise RowError(NO_SPAN, span.get("name"))
    status = span.get("status") or span.get("status_code")
    code = str(status.get("code", status.get("status_code", "")) if isinstance(status, dict) else status or "").upper()
    if attributes.get("error.type") or "ERROR" in code or code == "2":
        raise RowError(FAILED)
    model = text_of(
        attributes, "gen_ai.request.model", "llm.request.model_name", "llm.model_name", "gen_ai.response.model"
    )
    if model is None:
        raise RowError("no model is named")
    start = time_of(_either(span, "startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"))
    end = time_of(_either(span, "endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"))
    ids = [
        text_of(span, *names) or text_of(_flat(span.get("context")) or _below(span, "context."), names[0])
        for names in _IDS
    ]
    request = asked(
        {"messages": _messages(attributes, events) or [], "prompt": attributes.get("input.value")} | _tools(attributes),
        options,
    )
    return Call(
        model=model,
        **request,
        call_id="/".join(map(str, ids)) if all(ids) else None,
        conversation_id=text_of(attributes, "gen_ai.conversation.id", "session.id"),
        created_at=start,
        quality=_quality(attributes, events, options),
        grades=tuple(_annotations(span, options)),
        response=_answer(attributes, events) if options.responses else None,
        input_tokens=count_of(
            attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"
        ),
        cached_tokens=count_of(
            attributes, "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"
        ),
        output_tokens=count_of(
            attributes, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"
        ),
        cost_usd=number_of(attributes, "llm.cost.total", "gen_ai.usage.cost", "gen_ai.usage.total_cost"),
        latency_ms=latency_ms(start, end),
    )


_IDS = (("trace_id", "traceId"), ("span_id", "spanId"))


def _either(span: Mapping[str, Any], *names: str) -> Any:
    return next((span[name] for name in names if span.get(name) not in (None, "", 0, "0")), None)


def _flat(attributes: Any, prefix: str = "") -> dict[str, Any]:
    """Attributes by dotted name, from OTLP's list of keys and values, nested objects (Phoenix) or a flat object."""
    if isinstance(attributes, list):
        return {str(one.get("key")): _value(one.get("value")) for one in objects(attributes)}
    flat: dict[str, Any] = {}
    for name, value in attributes.items() if isinstance(attributes, dict) else ():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        flat[f"{prefix}{name}"] = value
    return flat


def _below(fields: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Fields whose name starts so (tables of spans have `attributes.llm.model_name`), without the prefix."""
    return {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}


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


def _messages(attributes: Mapping[str, Any], events: Sequence[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The conversation in OpenAI's form, from whichever of the conventions it is in."""
    for name in ("gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages", "input.value"):
        found = decoded(attributes.get(name))
        if isinstance(found, dict):
            found = found.get("messages")
        if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
            return [_message(one) for one in found]
    for _, inside in events:
        found = decoded(inside.get("gen_ai.input.messages", inside.get("gen_ai.prompt")))
        if isinstance(found, list) and found:
            return [_message(one) for one in objects(found)]
    said = [
        {"role": name.split(".")[1], "content": _content(inside)}
        for name, inside in events
        if name in ("gen_ai.user.message", "gen_ai.system.message", "gen_ai.assistant.message")
    ]
    return said or _numbered_messages(attributes)


def _content(inside: Mapping[str, Any]) -> Any:
    """What an event says: its content, or the whole message as JSON (Azure)."""
    found = decoded(inside.get("content", inside.get("gen_ai.event.content")))
    return found.get("content") if isinstance(found, dict) else found


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """One message, its parts in OpenAI's form."""
    message = message.get("message") or _below(message, "message.") or message
    parts = message.get("parts", message.get("contents", message.get("content")))
    if isinstance(parts, list):
        parts = [_part(one) for one in objects(parts)]
    return {**message, "content": parts}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    part = part.get("message_content") or _below(part, "message_content.") or part
    kind = str(part.get("type", "text"))
    if kind in ("blob", "uri", "image"):
        kind = "file" if "pdf" in str(part.get("mime_type", "")) else "image_url"
    if kind in ("tool_call", "tool_call_response"):
        kind = "tool_result"
    return {"type": kind, "text": part.get("text", part.get("content"))}


def _numbered_messages(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flattened lists: `llm.input_messages.0.message.role`, `gen_ai.prompt.0.content`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        for prefix in ("llm.input_messages.", "gen_ai.prompt."):
            place, _, rest = name.removeprefix(prefix).partition(".")
            if not name.startswith(prefix) or not place.isdigit():
                continue
            message = found.setdefault(int(place), {"role": "user", "content": []})
            field = rest.removeprefix("message.")
            if field == "role":
                message["role"] = value
            elif field == "content" and isinstance(parts := decoded(value), list):
                message["content"] += [_part(one) for one in objects(parts)]
            elif (field == "content" and isinstance(value, str)) or field.endswith("message_content.text"):
                message["content"].append({"type": "text", "text": value})
            elif field.endswith("message_content.image.image.url"):
                message["content"].append({"type": "image_url"})
            elif field.startswith("tool_calls."):
                message["tool_calls"] = True
    return [found[place] for place in sorted(found)]


def _tools(attributes: Mapping[str, Any]) -> dict[str, Any]:
    tools = any(name.startswith(("gen_ai.tool.definitions", "llm.tools")) for name in attributes)
    return {"tools": [{}]} if tools else {}


def _answer(attributes: Mapping[str, Any], events: Sequence[tuple[str, dict[str, Any]]]) -> str | None:
    found = decoded(attributes.get("gen_ai.output.messages", attributes.get("gen_ai.completion")))
    for name, inside in events:
        found = found or decoded(inside.get("gen_ai.output.messages") or inside.get("gen_ai.completion"))
        if name == "gen_ai.choice":
            whole = object_of({"whole": decoded(inside.get("gen_ai.event.content"))}, "whole")
            found = found or objects([decoded(inside.get("message", whole.get("message")))])
    if isinstance(found, list):
        contents = [_message(one)["content"] for one in objects(found)]
        texts = [
            one if isinstance(one, str) else "\n".join(str(p.get("text") or "") for p in objects(one))
            for one in contents
        ]
        return "\n".join(texts) or None
    return text_of(attributes, "llm.output_messages.0.message.content", "gen_ai.completion.0.content", "output.value")


def _quality(
    attributes: Mapping[str, Any], events: Sequence[tuple[str, dict[str, Any]]], options: ReadOptions
) -> float | None:
    for name, inside in events:
        wanted = options.metric in (None, inside.get("gen_ai.evaluation.name"))
        if name == "gen_ai.evaluation.result" and wanted:
            score = inside.get("gen_ai.evaluation.score.value", inside.get("gen_ai.evaluation.score.label"))
            return quality_of(score, options)
    return quality_of(attributes.get(options.metric or "quality"), options)


def _annotations(span: Mapping[str, Any], options: ReadOptions) -> Iterator[Grade]:
    """Phoenix' annotations: a list of name, annotator_kind and result.score."""
    for one in objects(span.get("annotations")):
        result = object_of(one, "result") or one
        grade = quality_of(result.get("score"), options)
        if grade is not None and options.metric in (None, one.get("name")):
            kind = _KINDS.get(str(one.get("annotator_kind")), "judge")
            yield Grade(grader=str(one.get("name") or kind), kind=kind, grade=grade)

"""Spans of calls to models: OpenTelemetry's GenAI conventions, older ones with it, and OpenInference."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, NO_SPAN, Call, Grade, Read, ReadOptions, RowError, each
from components.sources.fields import (
    asked,
    count_of,
    latency_ms,
    number_of,
    object_of,
    objects,
    quality_of,
    text_of,
    time_of,
)
from components.sources.otel_spans import EVALUATION, attributes_of, flat, ids_of, spans_with_events
from components.sources.otel_texts import Events, answer_in, invocation_of, request_of

_NO_CHAT = ("embeddings", "execute_tool", "invoke_agent", "create_agent", "retrieval")
_OF_MODELS = ("gen_ai.", "llm.", "openinference.")
"""How attributes of calls to models begin; an application's trace has spans of its database and network too."""
_KINDS = {"HUMAN": "person", "LLM": "judge", "CODE": "reference"}


def read_otel(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One span a row, or OTLP's JSON (`resourceSpans`); grades are events `gen_ai.evaluation.result` or annotations.

    Spans of tools, agents and embeddings are set aside. Conventions: GenAI (`gen_ai.*`: messages as attributes, as
    events, or as log records in files beside), OpenInference (`llm.input_messages.N.message.*`). A model is named as
    clients ask for it.

    Raises:
        TableError: unreadable; log records alone; no evaluation has the metric's name.
    """
    names: set[str] = set()
    yield from each(spans_with_events(paths), partial(_call, options=options, names=names))
    options.check_metric(paths[0], names)


def _call(span: Mapping[str, Any], _: Path, *, options: ReadOptions, names: set[str]) -> list[Call | RowError]:
    """The call, and for each annotation that is no grade why."""
    attributes = attributes_of(span)
    events = [(str(one.get("name")), flat(one.get("attributes"))) for one in objects(span.get("events"))]
    names.update(_metrics(span, attributes, events, options))
    operation = str(attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind") or "")
    if operation.lower() in _NO_CHAT or operation in ("EMBEDDING", "TOOL", "RETRIEVER", "CHAIN", "AGENT", "RERANKER"):
        raise RowError(NO_SPAN, operation)
    if not any(name.startswith(_OF_MODELS) for of in (attributes, *(inside for _, inside in events)) for name in of):
        raise RowError(NO_SPAN, span.get("name"))
    status = span.get("status") or span.get("status_code")
    code = str(status.get("code", status.get("status_code", "")) if isinstance(status, dict) else status or "").upper()
    if attributes.get("error.type") or "ERROR" in code or code == "2":
        raise RowError(FAILED)
    # OpenInference names a model as its answer did, which is a dated version of what was asked for
    model = (
        text_of(attributes, "gen_ai.request.model", "llm.request.model_name")
        or text_of(invocation_of(attributes), "model", "model_name")
        or text_of(attributes, "llm.model_name", "gen_ai.response.model")
    )
    if model is None:
        raise RowError("no model is named")
    start = time_of(_either(span, "startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime"))
    end = time_of(_either(span, "endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"))
    ids = ids_of(span)
    quality, remarks = _quality(attributes, events, options)
    annotations = list(_annotations(span, options))
    call = Call(
        model=model,
        **asked(request_of(attributes, events), options),
        call_id="/".join(map(str, ids)) if all(ids) else None,
        conversation_id=text_of(attributes, "gen_ai.conversation.id", "session.id"),
        created_at=start,
        quality=quality,
        grades=tuple(one for one in annotations if isinstance(one, Grade)),
        response=answer_in(attributes, events) if options.responses else None,
        input_tokens=count_of(
            attributes, "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"
        ),
        cached_tokens=count_of(
            attributes, "gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"
        ),
        output_tokens=count_of(
            attributes, "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"
        ),
        # 0 is written of models that no price is known of
        cost_usd=number_of(attributes, "llm.cost.total", "gen_ai.usage.cost", "gen_ai.usage.total_cost") or None,
        latency_ms=latency_ms(start, end),
        remarks=remarks,
    )
    return [call, *(one for one in annotations if isinstance(one, RowError))]


def _either(span: Mapping[str, Any], *names: str) -> Any:
    return next((span[name] for name in names if span.get(name) not in (None, "", 0, "0")), None)


def _metrics(
    span: Mapping[str, Any], attributes: Mapping[str, Any], events: Events, options: ReadOptions
) -> Iterator[str]:
    """Names of all that grades the answer."""
    yield from (str(inside.get("gen_ai.evaluation.name")) for name, inside in events if name == EVALUATION)
    yield from (str(one.get("name")) for one in objects(span.get("annotations")))
    if options.metric in attributes:
        yield str(options.metric)


def _quality(
    attributes: Mapping[str, Any], events: Events, options: ReadOptions
) -> tuple[float | None, tuple[str, ...]]:
    """The first evaluation that is a grade, and a remark where labels alone stand there, which are none."""
    remarks: tuple[str, ...] = ()
    for name, inside in events:
        if name != EVALUATION or options.metric not in (None, inside.get("gen_ai.evaluation.name")):
            continue
        value, label = inside.get("gen_ai.evaluation.score.value"), inside.get("gen_ai.evaluation.score.label")
        try:
            quality = quality_of(label if value is None else value, options)
        except RowError as error:
            if value is not None or error.outside is not None:
                raise
            remarks = ("the evaluation's label is no grade: ungraded",)
            continue
        if quality is not None:
            return quality, ()
    quality = quality_of(attributes.get(options.metric or "quality"), options)
    return quality, remarks if quality is None else ()


def _annotations(span: Mapping[str, Any], options: ReadOptions) -> Iterator[Grade | RowError]:
    """Phoenix' annotations: a list of name, annotator_kind and result.score."""
    for one in objects(span.get("annotations")):
        if options.metric not in (None, one.get("name")):
            continue
        score = (object_of(one, "result") or one).get("score")
        try:
            grade = quality_of(score, options)
        except RowError as error:
            yield RowError(f"annotation: {error.reason}", score, error.outside)
            continue
        if grade is not None:
            kind = _KINDS.get(str(one.get("annotator_kind")), "judge")
            yield Grade(grader=str(one.get("name") or kind), kind=kind, grade=grade)

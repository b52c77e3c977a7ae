"""Spans and the log records that belong to them, as the exporters write both."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.tables.errors import TableError
from tests.components.sources.conftest import cells

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.response.id": "a1"}
SAID: dict[str, Any] = {
    "gen_ai.user.message": {"content": "Hi"},
    "gen_ai.choice": {"index": 0, "message": {"role": "assistant", "content": "Hello"}},
}


def typed(value: Any) -> dict[str, Any]:
    """A value as OTLP writes it."""
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": name, "value": typed(one)} for name, one in value.items()]}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [typed(one) for one in value]}}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def otlp_span(attributes: dict[str, Any], span: str = "ab") -> dict[str, Any]:
    named = typed(attributes)["kvlistValue"]["values"]
    spans = [{"traceId": "0f", "spanId": span, "attributes": named}]
    return {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}


def otlp_logs(events: dict[str, Any], span: str = "ab") -> dict[str, Any]:
    of = {"traceId": "0f", "spanId": span}
    records = [{"eventName": name, "body": typed(body), **of} for name, body in events.items()]
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}


def console_span(attributes: dict[str, Any]) -> dict[str, Any]:
    of = {"trace_id": "0x0f", "span_id": "0xab"}
    return {"name": "chat m", "context": of, "start_time": "2026-01-02T03:04:05Z", "attributes": attributes}


def console_logs(events: dict[str, Any]) -> list[dict[str, Any]]:
    of = {"trace_id": "0x0f", "span_id": "0xab", "severity_number": None, "attributes": {"gen_ai.system": "x"}}
    return [{"body": body, "event_name": name, **of} for name, body in events.items()]


def printed(*rows: dict[str, Any]) -> str:
    """As the SDK's console exporters print: indented objects one after the other."""
    return "\n".join(json.dumps(row, indent=4) for row in rows)


@pytest.mark.parametrize(
    "files",
    [
        lambda lines: [lines(otlp_span(CHAT), name="a.json"), lines(otlp_logs(SAID), name="b.json")],
        lambda lines: [lines(otlp_logs(SAID), name="a.json"), lines(otlp_span(CHAT), name="b.json")],
        lambda lines: [lines(otlp_logs(SAID), console_span(CHAT))],
        lambda lines: [lines(console_span(CHAT), *console_logs(SAID))],
        lambda lines: [lines(printed(console_span(CHAT), *console_logs(SAID)), name="console.json")],
    ],
    ids=["a file each", "log records first", "one of each exporter", "lines", "printed"],
)
def test_messages_may_be_log_records(lines: Callable[..., Any], imported, files) -> None:
    tally, tables = imported("otel", *files(lines))
    assert cells(tables) == {("Hi", "m"): None}
    assert tables.responses["response"].to_list() == ["Hello"]
    assert tally.read == 1


def test_details_of_an_operation_may_be_a_log_record(lines, imported) -> None:
    parts = [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
    logs = {"gen_ai.client.inference.operation.details": {"gen_ai.input.messages": parts}}
    assert cells(imported("otel", lines(otlp_span(CHAT), otlp_logs(logs)))[1]) == {("Hi", "m"): None}


@pytest.mark.parametrize("span", ["ab", "other"])
def test_an_evaluation_finds_its_answer_by_span_or_by_the_answers_id(lines, imported, span) -> None:
    graded = {"gen_ai.evaluation.result": {"gen_ai.evaluation.score.label": "pass", "gen_ai.response.id": "a1"}}
    scored = {"gen_ai.evaluation.result": {"gen_ai.evaluation.score.value": "0.5", "gen_ai.response.id": "a1"}}
    log = [otlp_span(CHAT), otlp_logs(SAID)]
    assert cells(imported("otel", lines(*log, otlp_logs(scored, span)))[1]) == {("Hi", "m"): 0.5}
    tally, tables = imported("otel", lines(*log, otlp_logs(graded, span)))
    assert cells(tables) == {("Hi", "m"): None}
    assert tally.remarks == {"the evaluation's label is no grade: ungraded": 1}


def test_a_metric_that_no_evaluation_has_is_refused(lines, imported) -> None:
    result = {"gen_ai.evaluation.name": "right", "gen_ai.evaluation.score.value": 1}
    log = lines(otlp_span(CHAT), otlp_logs(SAID | {"gen_ai.evaluation.result": result}))
    with pytest.raises(TableError, match="no score is called 'wrong'; there are right"):
        imported("otel", log, metric="wrong")
    assert cells(imported("otel", log, metric="right")[1]) == {("Hi", "m"): 1}


def test_an_annotation_of_another_name_takes_no_grade_away(lines, imported) -> None:
    marks = [{"name": "stars", "result": {"score": 5}}, {"name": "right", "result": {"score": 0.5}}]
    log = lines({"attributes": CHAT | {"input.value": "Hi"}, "annotations": marks})
    _, tables = imported("otel", log, metric="right")
    assert tables.grades.select("grader", "grade").rows() == [("right", 0.5)]


def test_an_annotation_that_is_no_grade_takes_no_other_away(lines, imported) -> None:
    marks = [{"name": "stars", "result": {"score": 5}}, {"name": "right", "result": {"score": 0.5}}]
    tally, tables = imported("otel", lines({"attributes": CHAT | {"input.value": "Hi"}, "annotations": marks}))
    assert tables.grades.select("grader", "grade").rows() == [("right", 0.5)]
    assert tally.reasons == {"annotation: the grade is outside [0, 1]": 1}
    assert tally.outside == (5,)


@pytest.mark.parametrize("said", [{}, {"gen_ai.evaluation.score.label": "great"}])
def test_an_evaluation_without_a_grade_hides_no_other(lines, imported, said) -> None:
    marks = [{"gen_ai.evaluation.name": "style"} | said]
    marks += [{"gen_ai.evaluation.name": "right", "gen_ai.evaluation.score.value": 0.5}]
    events = [{"name": "gen_ai.evaluation.result", "attributes": one} for one in marks]
    tally, tables = imported("otel", lines({"attributes": CHAT | {"input.value": "Hi"}, "events": events}))
    assert cells(tables) == {("Hi", "m"): 0.5}
    assert not tally.remarks


def test_log_records_of_no_span_belong_to_none(lines, imported) -> None:
    spans = [{"attributes": CHAT | {"input.value": text}} for text in ("Hi", "Ho")]
    log = lines(
        *spans, {"event_name": "gen_ai.user.message", "body": {"content": "Other"}}, {"event_name": "", "body": 1}
    )
    assert cells(imported("otel", log)[1]) == {("Hi", "m"): None, ("Ho", "m"): None}


def test_what_is_missing_is_said(lines, imported) -> None:
    with pytest.raises(TableError, match="give the file of log records too"):
        imported("otel", lines(otlp_span(CHAT)))
    with pytest.raises(TableError, match="log records alone: give the spans that they belong to"):
        imported("otel", lines(otlp_logs(SAID)))


def test_of_printed_objects_one_that_is_cut_off_is_set_aside(lines, imported) -> None:
    text = printed(console_span(CHAT | {"input.value": "Hi"}), console_span(CHAT))
    tally, tables = imported("otel", lines(text[:-20], name="console.json"))
    assert cells(tables) == {("Hi", "m"): None}
    assert tally.reasons == {"not a line of JSON": 1}

"""What was asked and answered, as OpenInference and instrumentations of the GenAI conventions write it."""

import json
from typing import Any

import pytest

from tests.components.sources.conftest import cells

LLM: dict[str, Any] = {"openinference.span.kind": "LLM", "llm.model_name": "m-2026-01-02"}
ASKED = {"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "Hi"}
GENAI = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.prompt.0.content": "Hi"}
CALLED = {"id": "c", "choices": [{"message": {"content": None, "tool_calls": [{"id": "1"}]}}]}
RESPONSE = {
    "output": [
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]},
    ],
    "text": {"format": {"type": "text"}},
}


def span(attributes: dict[str, Any]) -> dict[str, Any]:
    return {"traceId": "t", "spanId": "s", "attributes": attributes}


@pytest.mark.parametrize(
    ("attributes", "prompt"),
    [
        ({"llm.prompts.0.prompt.text": "Go on", "input.value": '{"model": "m", "prompt": "Go on"}'}, "Go on"),
        ({"input.value": '{"model": "m", "prompt": "Go on"}'}, "Go on"),
        ({"input.value": '{"model": "m", "input": "Go on", "instructions": "Be brief"}'}, "Go on"),
        (
            {"input.value": '{"input": [{"role": "user", "content": [{"type": "input_text", "text": "Go on"}]}]}'},
            "Go on",
        ),
        ({"input.value": '{"odd": 1}'}, '{"odd": 1}'),
        ({"llm": {"input_messages": [{"message": {"role": "user", "content": "Go on"}}]}}, "Go on"),
        (
            {
                "llm.input_messages.1.message.contents.0.message_content.text": "Go on",
                "llm.input_messages.0.message.role": "system",
                "llm.input_messages.0.message.content": "Be brief",
            },
            "Go on",
        ),
    ],
)
def test_the_prompt_is_the_text_that_was_asked(lines, imported, attributes, prompt) -> None:
    _, tables = imported("otel", lines(span(LLM | attributes)))
    assert tables.prompts["prompt"].to_list() == [prompt]


@pytest.mark.parametrize(
    ("attributes", "answer"),
    [
        ({"llm.output_messages.0.message.contents.0.message_content.text": "Hello", "output.value": "{}"}, "Hello"),
        ({"llm": {"output_messages": [{"message": {"content": "Hello"}}]}, "output.value": "{}"}, "Hello"),
        ({"llm.choices.0.completion.text": "Hello", "output.value": "{}"}, "Hello"),
        ({"output.value": json.dumps(RESPONSE)}, "Hello"),
        ({"output.value": json.dumps({"choices": [{"text": "Hello"}]})}, "Hello"),
        ({"output.value": "Hello"}, "Hello"),
        ({"output.value": '{"a": 1}', "output.mime_type": "text/plain"}, '{"a": 1}'),
        ({"output.value": json.dumps(CALLED), "output.mime_type": "application/json"}, None),
        ({"llm.output_messages.0.message.role": "assistant", "output.value": json.dumps(CALLED)}, None),
    ],
)
def test_the_answer_is_its_text_and_no_document(lines, imported, attributes, answer) -> None:
    _, tables = imported("otel", lines(span(LLM | ASKED | attributes)))
    assert (None if tables.responses is None else tables.responses["response"].to_list()[0]) == answer


@pytest.mark.parametrize(
    ("attributes", "model"),
    [
        ({}, "m-2026-01-02"),
        ({"llm.invocation_parameters": '{"model": "m", "temperature": 0}'}, "m"),
        ({"llm.invocation_parameters": "{}"}, "m-2026-01-02"),
        ({"llm.invocation_parameters": '{"model_name": "m"}'}, "m"),
    ],
)
def test_a_model_is_named_as_clients_ask_for_it(lines, imported, attributes, model) -> None:
    assert cells(imported("otel", lines(span(LLM | ASKED | attributes)))[1]) == {("Hi", model): None}


@pytest.mark.parametrize(
    ("attributes", "requires"),
    [
        (LLM | ASKED | {"llm.invocation_parameters": '{"response_format": {"type": "json_object"}}'}, ["json"]),
        (LLM | ASKED | {"llm.invocation_parameters": '{"text": {"format": {"type": "json_schema"}}}'}, ["json"]),
        (LLM | ASKED | {"llm.invocation_parameters": '{"response_format": {"type": "text"}}'}, []),
        (LLM | {"input.value": '{"input": "Hi", "text": {"format": {"type": "json_schema"}}}'}, ["json"]),
        (LLM | {"input.value": '{"input": "Hi", "tools": [{}]}'}, ["tools"]),
        (GENAI | {"gen_ai.request.structured_output_schema": '{"type": "object"}'}, ["json"]),
        (GENAI | {"gen_ai.openai.request.response_format": "json_schema"}, ["json"]),
        (GENAI | {"gen_ai.output.type": "json"}, ["json"]),
        (GENAI | {"gen_ai.output.type": "text"}, []),
        (GENAI | {"gen_ai.response.finish_reasons": ["tool_calls"]}, ["tools"]),
    ],
)
def test_formats_of_json_and_tools_are_requirements(lines, imported, attributes, requires) -> None:
    _, tables = imported("otel", lines(span(attributes)))
    assert tables.prompts["requires"].to_list() == [requires]


def test_a_cost_of_nothing_is_unknown(lines, imported) -> None:
    attributes = GENAI | {"gen_ai.usage.cost": 0.0, "gen_ai.usage.input_tokens": 5}
    assert imported("otel", lines(span(attributes)))[1].outcomes["cost_usd"].to_list() == [None]

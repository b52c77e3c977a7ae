"""What was asked and answered in a span, in whichever of the conventions it is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.sources.call import RowError
from components.sources.fields import answer_of, decoded, object_of, objects, text_of
from components.sources.otel_spans import below, nested

Events = Sequence[tuple[str, dict[str, Any]]]
"""Name and attributes of each."""
_SAID = frozenset(f"gen_ai.{role}.message" for role in ("user", "system", "assistant", "tool"))
_TOOLS = ("gen_ai.tool.definitions", "llm.tools")


def request_of(attributes: Mapping[str, Any], events: Events) -> dict[str, Any]:
    """The request in OpenAI's form: messages or prompt, with the tools and the format of JSON that it asked for.

    Raises:
        RowError: no text in it.
    """
    sent = _sent(attributes)
    wanted: dict[str, Any] = {"tools": sent.get("tools")}
    # whoever called a tool was offered one, though not every convention writes which
    reasons = str(attributes.get("gen_ai.response.finish_reasons", attributes.get("llm.finish_reason")))
    if any(name.startswith(_TOOLS) for name in attributes) or "tool_call" in reasons:
        wanted["tools"] = [{}]
    if _wants_json(attributes, sent):
        wanted["response_format"] = {"type": "json"}
    if messages := _messages(attributes, events):
        return wanted | {"messages": messages}
    texts = [
        text_of(object_of(one, "prompt") or below(one, "prompt."), "text") for one in nested(attributes, "llm.prompts")
    ]
    if prompts := [text for text in texts if text]:
        return wanted | {"prompt": prompts}
    prompt = text_of(attributes, "input.value")
    if not sent and prompt is None:
        raise RowError("needs a text in the span, its events or log records: give the file of log records too")
    return wanted | ({name: sent.get(name) for name in ("input", "prompt")} if sent else {"prompt": prompt})


def invocation_of(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What the client asked for beside the texts, as OpenInference writes it."""
    return _object(attributes.get("llm.invocation_parameters"))


def answer_in(attributes: Mapping[str, Any], events: Events) -> str | None:
    """The text of the answer; None where there is none, as of a call of a tool."""
    found = decoded(attributes.get("gen_ai.output.messages", attributes.get("gen_ai.completion")))
    for name, inside in events:
        found = found or decoded(inside.get("gen_ai.output.messages") or inside.get("gen_ai.completion"))
        if name == "gen_ai.choice":
            whole = _object(inside.get("gen_ai.event.content"))
            found = found or objects([decoded(inside.get("message", whole.get("message")))])
    if isinstance(found, list):
        return "\n".join(_text(_message(one)["content"]) for one in objects(found)) or None
    numbered = [*nested(attributes, "llm.output_messages"), *nested(attributes, "gen_ai.completion")]
    texts = [_text(_message(one)["content"]) for one in numbered]
    texts += [
        text_of(object_of(one, "completion") or below(one, "completion."), "text") or ""
        for one in nested(attributes, "llm.choices")
    ]
    if said := next(filter(None, texts), None):
        return said
    value = text_of(attributes, "output.value")
    # the whole answer of an API, which may have no text; or the text itself, which may be JSON
    return answer_of(decoded(value)) or (value if attributes.get("output.mime_type") == "text/plain" else None)


def _object(value: Any) -> dict[str, Any]:
    """An object, which may stand there as JSON text; else an empty one."""
    found = decoded(value)
    return found if isinstance(found, dict) else {}


def _sent(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The body of the request, where OpenInference has it whole; else empty."""
    body = _object(attributes.get("input.value"))
    return (
        body
        if any(body.get(name) and isinstance(body[name], str | list) for name in ("messages", "input", "prompt"))
        else {}
    )


def _wants_json(attributes: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    forms = [
        form
        for body in (invocation_of(attributes), sent)
        for form in (body.get("response_format"), object_of(body, "text").get("format"))
    ]
    kinds = [form.get("type") if isinstance(form, dict) else form for form in forms]
    kinds += [attributes.get("gen_ai.openai.request.response_format"), attributes.get("gen_ai.output.type")]
    schema = attributes.get("gen_ai.request.structured_output_schema")
    return bool(schema) or any(str(kind).startswith("json") for kind in kinds)


def _messages(attributes: Mapping[str, Any], events: Events) -> list[dict[str, Any]]:
    """The conversation in OpenAI's form; empty where there is none."""
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
        {"role": name.split(".")[1], "content": _content(inside), "tool_calls": inside.get("tool_calls")}
        for name, inside in events
        if name in _SAID
    ]
    if said:
        return said
    flattened = [*nested(attributes, "llm.input_messages"), *nested(attributes, "gen_ai.prompt")]
    return [{"role": "user", **_with_parts(_message(one))} for one in flattened]


def _content(inside: Mapping[str, Any]) -> Any:
    """What an event says: its content, or the whole message as JSON (Azure)."""
    found = decoded(inside.get("content", inside.get("gen_ai.event.content")))
    return found.get("content") if isinstance(found, dict) else found


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """One message, its parts in OpenAI's form."""
    message = object_of(message, "message") or below(message, "message.") or message
    parts = message.get("parts", nested(message, "contents") or message.get("content"))
    if isinstance(parts, list):
        parts = [_part(one) for one in objects(parts)]
    calls = message.get("tool_calls") or any(name.startswith("tool_calls.") for name in message)
    return {**message, "content": parts, "tool_calls": calls}


def _with_parts(message: dict[str, Any]) -> dict[str, Any]:
    """The message; a list of parts may stand in it as JSON text."""
    text = message["content"]
    parts = objects(decoded(text)) if isinstance(text, str) else []
    return (
        message | {"content": [_part(one) for one in parts]}
        if parts and all("type" in one for one in parts)
        else message
    )


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    part = object_of(part, "message_content") or below(part, "message_content.") or part
    kind = str(part.get("type", "image" if any(name.startswith("image") for name in part) else "text"))
    if kind in ("blob", "uri", "image"):
        kind = "file" if "pdf" in str(part.get("mime_type", "")) else "image_url"
    if kind in ("tool_call", "tool_call_response"):
        kind = "tool_result"
    return {"type": kind, "text": part.get("text", part.get("content"))}


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(str(part.get("text") or "") for part in objects(content))

"""Spend logs of a LiteLLM gateway, as its database, `/spend/logs` and its logging callbacks write them."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, NO_CHAT, Call, Read, ReadOptions, RowError, each
from components.sources.fields import (
    answer_of,
    asked,
    count_of,
    decoded,
    latency_ms,
    number_of,
    object_of,
    propensity_of,
    quality_of,
    text_of,
    time_of,
)
from components.sources.files import records
from pointsman.json_text import loads

_NO_CHAT = ("embedding", "image", "transcription", "speech", "moderation", "rerank", "audio", "realtime", "search")
_CUT = "litellm_truncated"
_NO_PRICE = "spend is 0, so LiteLLM knows no price: cost unknown (a free model: --prices says so)"


def read_litellm_spend(paths: Sequence[Path], options: ReadOptions) -> Read:
    """One row a call: prompts where LiteLLM writes them, the grade of `spend_logs_metadata.quality` where one is.

    The request is in `proxy_server_request` (with `store_prompts_in_spend_logs`), else in `messages`. A model is named
    as clients ask for it (`model_group`). What a cached, free-of-usage or negative row cost is not known; nor is it of
    one that spent 0 on tokens, for so LiteLLM counts a model that it has no price of.
    """
    for path in paths:
        yield from each(records(path), partial(_call, options=options))


def _call(record: Mapping[str, Any], _: Path, *, options: ReadOptions) -> Call:
    metadata = _decoded(record, "metadata")
    if "failure" in (record.get("status"), metadata.get("status")):
        raise RowError(FAILED)
    kind = str(record.get("call_type") or "").lower()
    if any(word in kind for word in _NO_CHAT):
        raise RowError(NO_CHAT, kind)
    model = text_of(record, "model_group", "model")
    if model is None:
        raise RowError("no model is named")
    # clients' own keys come back under these names, whichever way they were sent
    body = _request(record)
    said = [object_of(metadata, "spend_logs_metadata"), metadata, object_of(metadata, "requester_metadata")]
    said.append(object_of(body, "metadata"))
    start, end = time_of(record.get("startTime")), time_of(record.get("endTime"))
    request = asked(body, options)
    tokens, remarks = _tokens(record, metadata)
    cost, doubts = _cost(record, tokens)
    decision: dict[str, Any] = next((one["pointsman"] for one in said if isinstance(one.get("pointsman"), dict)), {})
    response = _decoded(record, "response")
    return Call(
        model=model,
        **request,
        **tokens,
        # the router's own log may tell of the same call
        call_id=text_of(decision, "decision_id") or text_of(record, "request_id", "id"),
        benchmark=next((one["benchmark"] for one in said if isinstance(one.get("benchmark"), str)), None),
        conversation_id=text_of(record, "session_id", "trace_id"),
        created_at=start,
        quality=quality_of(_first_key(said, options.metric or "quality"), options),
        graded_by=_graded_by(said),
        response=answer_of(response) if options.responses else None,
        cost_usd=cost,
        latency_ms=latency_ms(start, end),
        propensity=propensity_of(decision),
        decision_id=text_of(decision, "decision_id"),
        remarks=(*remarks, *doubts, *(("the prompt was cut by LiteLLM",) if _CUT in request["prompt"] else ())),
    )


def _decoded(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A field's object, empty where it is none."""
    value = decoded(record.get(name))
    return value if isinstance(value, dict) else {}


def _request(record: Mapping[str, Any]) -> dict[str, Any]:
    request = _decoded(record, "proxy_server_request")
    body = request.get("body")
    request = body if isinstance(body, dict) else request
    if any(request.get(name) for name in ("messages", "input", "prompt")):
        return request
    messages = record.get("messages")
    if isinstance(messages, str) and messages.lstrip()[:1] in "[{":
        try:
            messages = loads(messages)
        except ValueError:
            raise RowError("'messages' is text that isn't JSON", messages) from None
    if isinstance(messages, str):
        return {"prompt": messages}
    if not messages:
        raise RowError("no prompt is stored (LiteLLM: store_prompts_in_spend_logs)")
    settings = object_of(record, "model_parameters")
    return {**{name: settings.get(name) for name in ("tools", "response_format")}, **request, "messages": messages}


def _tokens(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    sent, written = count_of(record, "prompt_tokens"), count_of(record, "completion_tokens")
    if not sent and not written:
        unknown = {"input_tokens": None, "output_tokens": None, "cached_tokens": None}
        return unknown, ("no usage was logged: tokens and cost unknown",)
    usage = object_of(metadata, "usage_object", "additional_usage_values")
    details = object_of(usage, "prompt_tokens_details")
    cached = count_of(details, "cached_tokens")
    cached = count_of(usage, "cache_read_input_tokens") if cached is None else cached
    return {"input_tokens": sent, "output_tokens": written, "cached_tokens": cached}, ()


def _cost(record: Mapping[str, Any], tokens: Mapping[str, int | None]) -> tuple[float | None, tuple[str, ...]]:
    spend = number_of(record, "spend", "response_cost")
    if str(record.get("cache_hit")).lower() == "true":
        return None, ("answered from the gateway's cache: cost unknown",)
    if spend is None:
        return None, ("spend is empty: cost unknown",)
    if spend < 0:
        return None, ("spend is below 0: cost unknown",)
    if spend == 0:
        # a model without a price and one that is free look the same in all that LiteLLM writes
        return None, () if tokens["input_tokens"] is None else (_NO_PRICE,)
    return spend, ()


def _first_key(objects: Sequence[Mapping[str, Any]], name: str) -> Any:
    return next((one[name] for one in objects if one.get(name) is not None), None)


def _graded_by(said: Sequence[Mapping[str, Any]]) -> str | None:
    grader = _first_key(said, "graded_by")
    return grader if isinstance(grader, str) else None

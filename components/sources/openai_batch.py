"""Output of OpenAI's batch API, with the file of requests beside it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, NO_CHAT, Call, Read, ReadOptions, RowError, each
from components.sources.fields import answer_of, asked, count_of, object_of, quality_of, text_of, time_of
from components.sources.files import Record, records


def read_openai_batch(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Files of requests (`custom_id`, `body`) and of answers (`custom_id`, `response.body`), joined by `custom_id`.

    A grade may be in the request's metadata as `quality`. Several models: one pair of files a model, all at once.
    Several batches of one model whose `custom_id` repeat: one batch a call, with `--append`.
    """
    found = [record for path in paths for record in records(path)]
    questions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    answers: list[Record] = []
    answered: dict[str, set[str]] = defaultdict(set)
    for record in found:
        if record.error is None and isinstance(record.content.get("body"), dict):
            questions[str(record.content.get("custom_id"))].append(record.content)
        else:
            answers.append(record)
            content = record.content if record.error is None else {}
            if model := _model(object_of(object_of(content, "response"), "body")):
                answered[str(content.get("custom_id"))].add(model)
    yield from each(answers, partial(_call, questions=questions, answered=answered, options=options))


def _model(body: Mapping[str, Any]) -> str:
    return text_of(body, "model") or ""


def _request(requests: Sequence[dict[str, Any]], model: str) -> dict[str, Any]:
    """The request that a model answered: an answer names the dated version, clients ask for the name without."""
    if requests and not any(_is_chat(request) for request in requests):
        raise RowError(NO_CHAT, requests[0].get("url"))
    bodies: list[dict[str, Any]] = [request["body"] for request in requests if _is_chat(request)]
    fitting = [body for body in bodies if model.startswith(_model(body))]
    if not fitting and (not bodies or any(body != bodies[0] for body in bodies)):
        raise RowError("no request of this custom_id: give the batch's input file too")
    chosen = max(fitting or bodies, key=lambda body: len(_model(body)))
    if any(body != chosen and _model(body) == _model(chosen) for body in fitting):
        raise RowError("several requests of this custom_id: import each batch by itself, with --append")
    return chosen


def _is_chat(request: Mapping[str, Any]) -> bool:
    url = text_of(request, "url")
    return url is None or url.rstrip("/").endswith(("completions", "responses"))


def _call(
    record: Mapping[str, Any],
    _: Path,
    *,
    questions: Mapping[str, list[dict[str, Any]]],
    answered: Mapping[str, set[str]],
    options: ReadOptions,
) -> Call:
    response = object_of(record, "response")
    if record.get("error") or response.get("status_code") not in (None, 200):
        raise RowError(FAILED)
    body = object_of(response, "body")
    if body.get("error") or body.get("status") in ("failed", "cancelled"):
        raise RowError(FAILED)
    model, key = _model(body), str(record.get("custom_id"))
    request = _request(questions.get(key, []), model)
    usage = object_of(body, "usage")
    details = object_of(usage, "prompt_tokens_details", "input_tokens_details")
    metadata = object_of(request, "metadata")
    # a deployment answers by its model's name; of two that answered one request one may have been asked elsewhere
    alone = len(answered[key]) < 2 and len({_model(request["body"]) for request in questions[key]}) == 1
    asked_for = _model(request) or model
    return Call(
        model=asked_for if alone or model.startswith(asked_for) else model,
        **asked(request, options),
        call_id="/".join(text for name in ("id", "custom_id") if (text := text_of(record, name))) or None,
        created_at=time_of(body.get("created", body.get("created_at"))),
        benchmark=text_of(metadata, "benchmark"),
        quality=quality_of(metadata.get(options.metric or "quality", record.get("quality")), options),
        response=answer_of(body) if options.responses else None,
        input_tokens=count_of(usage, "prompt_tokens", "input_tokens"),
        cached_tokens=count_of(details, "cached_tokens"),
        output_tokens=count_of(usage, "completion_tokens", "output_tokens"),
    )

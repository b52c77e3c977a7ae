"""`POST /v1/chat/completions`: a client of OpenAI's uses the router by changing its base URL."""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from pointsman.policy.eligibility import MOST_OUTPUT_TOKENS, Wanted, constrained
from pointsman.router import OPERATING
from pointsman.serving.batching import Crowded
from pointsman.serving.config import ServingConfig
from pointsman.serving.in_service import InService
from pointsman.serving.jobs import Job, new_id
from pointsman.serving.limits import RETRY_SECONDS
from pointsman.serving.paces import known_policy
from pointsman.serving.requests import plain
from pointsman.serving.service import Service
from pointsman.serving.upstream import Passed, Upstream
from pointsman.text.conversation import DEFAULT, ConversationConfig, ends_in_tool_loop, routed_request
from pointsman.text.sent import request_characters

MODEL = "pointsman"
"""What clients ask for: `pointsman/auto`, or `pointsman/POLICY` such as `pointsman/tradeoff=0.01`."""
AUTO = "auto"
Decide = Callable[[Callable[[ConversationConfig], Job], Request], Awaitable[bytes | None]]
"""The decisions on a request as /v1/route answers them; None: the client hung up."""


def add_completions(
    app: FastAPI, limits: ServingConfig, service: Service, in_service: InService, upstream: Upstream, decide: Decide
) -> None:
    """The pass-through and its list of models."""

    @app.post("/v1/chat/completions", include_in_schema=False)
    async def completions(request: Request) -> Response:
        try:
            body = await _body(request)
            asked, _, policy = body["model"].partition("/")
            if asked != MODEL:
                # a client that names a candidate gets it
                passed = await upstream.ask(body, [body["model"]])
                return StreamingResponse(passed.body, passed.status, media_type=passed.media_type)
            known = OPERATING if policy in ("", AUTO) else policy
            decided = await decide(partial(completion_job, body, known, limits), request)
        except Crowded as error:
            return _refused(429, str(error), {"Retry-After": RETRY_SECONDS})
        except ValueError as error:
            return _refused(400, plain(str(error)))
        if decided is None:
            return Response(status_code=499)
        (decision,) = json.loads(decided)["decisions"]
        passed = await upstream.ask(_sent(body), decision["ranked"])
        headers = {"x-pointsman-decision-id": decision["decision_id"], "x-pointsman-candidate": passed.candidate}
        stream = _recorded(service, decision, passed)
        return StreamingResponse(stream, passed.status, headers=headers, media_type=passed.media_type)

    @app.get("/v1/models", include_in_schema=False)
    def models() -> dict[str, Any]:
        """What a client may ask for, as OpenAI lists it."""
        names = [f"{MODEL}/{AUTO}", f"{MODEL}/best", *in_service.get().candidates]
        data = [{"id": name, "object": "model", "created": 0, "owned_by": MODEL} for name in names]
        return {"object": "list", "data": data}


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise ValueError("the body isn't JSON, or nested too deep") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise ValueError("the body must be an object with a model")
    if not isinstance(body.get("stream_options") or {}, dict):
        raise ValueError("stream_options must be an object")
    return body


def completion_job(
    body: Mapping[str, Any], policy: str, limits: ServingConfig, conversation: ConversationConfig = DEFAULT
) -> Job:
    """What is routed of a chat completion; `metadata.pointsman` may narrow the choice by among, exclude, requires.

    Raises:
        ValueError: no text of a user, one beyond the limits, an unknown policy, or metadata that can't be read.
    """
    routed = routed_request(body, conversation)
    if len(routed.text) > limits.longest_prompt:
        raise ValueError(f"the prompt has {len(routed.text)} characters, at most {limits.longest_prompt}")
    if plain(routed.text) != routed.text:
        raise ValueError("the prompt isn't valid Unicode")
    metadata = body.get("metadata") or {}
    narrowed = metadata.get(MODEL) or {} if isinstance(metadata, dict) else {}
    if not isinstance(narrowed, dict):
        raise ValueError(f"metadata.{MODEL} must be an object")
    most = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    if type(most) is not int or not 0 <= most <= MOST_OUTPUT_TOKENS:
        raise ValueError(f"max_tokens must be a whole number in [0, {MOST_OUTPUT_TOKENS}]")
    among, messages = narrowed.get("among"), body.get("messages") or []
    session = metadata.get("session_id") if isinstance(metadata, dict) else None
    name, wanted = constrained(
        policy,
        Wanted(
            among=None if among is None else _names(among, "among"),
            exclude=_names(narrowed.get("exclude") or [], "exclude"),
            requires=tuple(sorted({*routed.requires, *_names(narrowed.get("requires") or [], "requires")})),
            max_output_tokens=most,
        ),
    )
    return Job(
        prompts=[routed.text],
        decision_ids=[new_id()],
        policy=known_policy(name),
        wanted=wanted,
        characters=[max(request_characters(body), len(routed.text))],
        digests=[routed.digest],
        session=_name(session),
        tenant=_name(body.get("user")),
        in_tool_loop=ends_in_tool_loop(messages),
    )


def _names(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"metadata.{MODEL}.{name} must be a list of names")
    return tuple(plain(value))


def _name(value: Any) -> str | None:
    return plain(value)[:200] if isinstance(value, str) and value else None


def _sent(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without what was meant for this server."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or MODEL not in metadata:
        return {**body}
    rest = {name: value for name, value in metadata.items() if name != MODEL}
    return {**body, "metadata": rest} if rest else {name: value for name, value in body.items() if name != "metadata"}


async def _recorded(service: Service, decision: Mapping[str, Any], passed: Passed) -> AsyncIterator[bytes]:
    """The answer; when it is through, or given up, its figures go beside the decision."""
    try:
        async for chunk in passed.body:
            yield chunk
    finally:
        # an answer of a fallback says nothing of the choice, but that it failed
        figures = {"error": passed.failed} if passed.failed else passed.figures
        # the answer counts more than its record; the log says how much it lost
        with contextlib.suppress(OverflowError):
            if figures:
                service.tell(decision["decision_id"], figures)


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "code": None}}, status, headers)

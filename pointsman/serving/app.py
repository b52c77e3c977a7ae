"""A published router over HTTP: POST /v1/route, GET /v1/router, /healthz and /metrics. Prompts are never logged."""

import asyncio
import hmac
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import accumulate
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field

from pointsman.model.prediction import Prediction
from pointsman.policy.policy import parse
from pointsman.router import OPERATING, Router, Routing
from pointsman.serving.batching import Batcher
from pointsman.serving.in_service import Reigning
from pointsman.serving.limits import LimitBody
from pointsman.serving.meters import Meters


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingConfig:
    """Limits of a server."""

    token: str | None = None
    """Bearer token that /v1 and /metrics ask for; None: nobody is asked."""
    largest_body: int = 4_000_000
    """Bytes of a request, >= 1."""
    longest_prompt: int = 200_000
    """Characters, >= 1."""
    largest_batch: int = 256
    """Prompts of a request, >= 1."""
    largest_crowd: int = 1024
    """Connections at a time, >= 1; more are told to come back (503)."""
    reload_seconds: float = 1.0
    """Between looks at the pointer, >= 0."""
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Threads that route, >= 1."""
    gather: int = 16
    """Prompts from which a worker adds no further waiting request to its batch, >= 1; 1: each request alone."""

    def __post_init__(self) -> None:
        sizes = ("largest_body", "longest_prompt", "largest_batch", "largest_crowd", "workers", "gather")
        if min(getattr(self, name) for name in sizes) < 1:
            raise ValueError(f"limits must be >= 1, got {', '.join(f'{n}={getattr(self, n)}' for n in sizes)}")
        if not self.reload_seconds >= 0:
            raise ValueError(f"reload_seconds must be >= 0, got {self.reload_seconds}")
        if self.token == "":
            raise ValueError("an empty token would let everybody in: give one, or None")


class Asked(BaseModel):
    """One prompt or many, and a policy."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    prompts: list[str] | None = None
    policy: Annotated[str, Field(max_length=100)] = OPERATING


class Score(BaseModel):
    """What is expected of a candidate on a prompt."""

    candidate: str
    quality: float
    cost: float | None


class Decided(BaseModel):
    """The choice for one prompt."""

    candidate: str
    task: int | None
    predicted_quality: float
    expected_cost_usd: float | None
    scores: list[Score]
    reason: str


class Answer(BaseModel):
    """Decisions in the order of the prompts."""

    router_id: str
    decisions: list[Decided]


class Refusal(BaseModel):
    """Why a request was refused."""

    detail: str | list[dict[str, Any]]


REFUSALS: dict[int | str, dict[str, Any]] = {code: {"model": Refusal} for code in (400, 401, 413, 422)}
Job = tuple[list[str], str]


def create_app(path: str | Path, config: ServingConfig | None = None) -> FastAPI:
    """The application that serves a bundle or a published root; a folder or an fsspec URL.

    Raises:
        BundleError: the router can't be loaded.
    """
    limits = config or ServingConfig()
    reigning, meters = Reigning(path, every=limits.reload_seconds), Meters()

    def work(jobs: list[Job]) -> list[bytes | Exception]:
        router = reigning.get()
        routed = route_together(router, jobs)
        meters.count([routing for routing in routed if isinstance(routing, Routing)])
        return [one if isinstance(one, Exception) else _body(router.router_id, one) for one in routed]

    batcher: Batcher[Job, bytes] = Batcher(work, lambda job: len(job[0]), workers=limits.workers, gather=limits.gather)

    # async, or it would be sent to a thread and back for every request
    async def admit(request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        # compare_digest takes the same time wherever the first difference is
        if limits.token is not None and not hmac.compare_digest(given, f"Bearer {limits.token}".encode()):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    # no pages of documentation: they load scripts from elsewhere
    app = FastAPI(title="Pointsman", docs_url=None, redoc_url=None)
    app.add_middleware(LimitBody, largest=limits.largest_body)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # without the input, which may be a prompt
        detail = [{name: entry[name] for name in ("type", "loc", "msg")} for entry in error.errors()]
        return JSONResponse(_plain({"detail": detail}), 422)

    @app.post("/v1/route", dependencies=[Depends(admit)], response_model=Answer, responses=REFUSALS)
    async def route(asked: Asked) -> Response:
        start = time.perf_counter()
        try:
            job = _prompts(asked, limits), _policy(asked)
            body = await asyncio.wrap_future(batcher.submit(job))
        except ValueError as error:
            raise HTTPException(422, _plain(str(error))) from None
        meters.took(time.perf_counter() - start)
        return Response(body, media_type="application/json")

    @app.get("/v1/router", dependencies=[Depends(admit)], responses={401: REFUSALS[401]})
    def describe() -> dict[str, Any]:
        router = reigning.get()
        ids = router.task_ids or tuple(map(str, range(len(router.tasks))))
        return {
            "router_id": router.router_id,
            "operating_policy": router.operating_policy,
            "asked_policy": router.asked_policy,
            "candidates": router.candidates,
            "tasks": [{"id": name, "label": label} for name, label in zip(ids, router.tasks, strict=True)],
            "failed_reloads": reigning.failures,
        }

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "router_id": reigning.get().router_id}

    @app.get(
        "/metrics", dependencies=[Depends(admit)], response_class=PlainTextResponse, responses={401: REFUSALS[401]}
    )
    def metrics() -> Response:
        return Response(meters.page(reigning.failures), media_type=CONTENT_TYPE_LATEST)

    return app


def serve(path: str | Path, host: str = "127.0.0.1", port: int = 8080, config: ServingConfig | None = None) -> None:
    """Serves until interrupted; on loopback unless told otherwise.

    Raises:
        BundleError: the router can't be loaded.
    """
    limits = config or ServingConfig()
    app = create_app(path, limits)
    crowd = limits.largest_crowd
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, limit_concurrency=crowd)


def route_together(router: Router, jobs: Sequence[Job]) -> list[Routing | Exception]:
    """The routing of each job, or why it can't be; all prompts are predicted at once, each policy rules its own."""
    prediction = router.predict([prompt for prompts, _ in jobs for prompt in prompts])
    bounds = list(accumulate((len(prompts) for prompts, _ in jobs), initial=0))
    routed: list[Routing | Exception] = []
    for (_, policy), start, end in zip(jobs, bounds, bounds[1:], strict=False):
        try:
            part = prediction if len(jobs) == 1 else _rows(prediction, start, end)
            routed.append(router.choose(part, router.policy(policy)))
        except ValueError as error:
            routed.append(error)
    return routed


def _rows(prediction: Prediction, start: int, end: int) -> Prediction:
    known: dict[str, Any] = {entry.name: getattr(prediction, entry.name) for entry in fields(Prediction)}
    part: dict[str, Any] = {name: None if array is None else array[start:end] for name, array in known.items()}
    return Prediction(**part)


def _policy(asked: Asked) -> str:
    """The policy's name, refused before it is queued if no router could know it."""
    if asked.policy not in (OPERATING, "parity"):
        parse(asked.policy)
    return asked.policy


def _body(router_id: str, routing: Routing) -> bytes:
    columns = routing.to_columns()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return json.dumps({"router_id": router_id, "decisions": rows}, allow_nan=False).encode()


def _prompts(asked: Asked, limits: ServingConfig) -> list[str]:
    """The prompts of a request within the limits; HTTP 422 otherwise."""
    if (asked.prompt is None) == (asked.prompts is None):
        raise HTTPException(422, "give either prompt or prompts")
    prompts = [asked.prompt] if asked.prompt is not None else asked.prompts or []
    if not 1 <= len(prompts) <= limits.largest_batch:
        raise HTTPException(422, f"want 1 to {limits.largest_batch} prompts, got {len(prompts)}")
    for row, prompt in enumerate(prompts):
        if len(prompt) > limits.longest_prompt:
            raise HTTPException(422, f"prompt {row} has {len(prompt)} characters, at most {limits.longest_prompt}")
        # JSON can spell half a surrogate pair, which is no text
        if not prompt.isascii() and any("\ud800" <= mark <= "\udfff" for mark in prompt):
            raise HTTPException(422, f"prompt {row} isn't valid Unicode")
    return prompts


def _plain(value: Any) -> Any:
    """Half surrogate pairs replaced, since they can't be sent."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value

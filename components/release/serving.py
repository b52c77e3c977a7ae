"""A published router over HTTP: POST /v1/route, GET /v1/router, /healthz and /metrics. Prompts are never logged.

Requests aren't gathered into batches: the encoder runs each prompt alone, so that none changes another's vector, and
a batch would only make the first wait for the last.
"""

import hmac
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from components.release.limits import LimitBody
from components.release.manifest import BundleError
from components.release.pointer import resolve
from components.release.router import Router, Routing


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
    reload_seconds: float = 1.0
    """Between looks at the pointer, >= 0."""
    threads: int = 1
    """Of the encoder within one request, >= 1; requests run side by side anyway."""

    def __post_init__(self) -> None:
        if min(self.largest_body, self.longest_prompt, self.largest_batch, self.threads) < 1:
            raise ValueError(f"limits must be >= 1, got {self}")
        if not self.reload_seconds >= 0:
            raise ValueError(f"reload_seconds must be >= 0, got {self.reload_seconds}")
        if self.token == "":
            raise ValueError("an empty token would let everybody in: give one, or None")


class Asked(BaseModel):
    """One prompt or many, and a policy."""

    model_config = ConfigDict(extra="forbid")

    prompt: str | None = None
    prompts: list[str] | None = None
    policy: Annotated[str, Field(max_length=100)] = "best"


class Reigning:
    """The reigning router, loaded anew when the pointer changes; requests under way keep the one they began with."""

    def __init__(self, path: Path, config: ServingConfig) -> None:
        self._path, self._config = path, config
        self._lock = threading.Lock()
        self._folder = resolve(path)
        self._router = Router.load(self._folder, threads=config.threads)
        self._looked = time.monotonic()
        self.failures = 0
        """Times that a new router couldn't be loaded and the old one stayed."""

    def get(self) -> Router:
        """The router to use now. One thread loads; others go on with the old one."""
        due = time.monotonic() - self._looked >= self._config.reload_seconds
        if due and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looked = time.monotonic()
                self._lock.release()
        return self._router

    def _look(self) -> None:
        try:
            folder = resolve(self._path)
            if folder != self._folder:
                self._router = Router.load(folder, threads=self._config.threads)
                self._folder = folder
        except BundleError:
            self.failures += 1


class Meters:
    """Prometheus metrics of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.decisions = Counter(
            "pointsman_decisions", "Prompts routed", ["candidate", "task", "reason"], registry=self.registry
        )
        self.unassigned = Counter("pointsman_unassigned", "Prompts without a task", registry=self.registry)
        self.seconds = Histogram(
            "pointsman_route_seconds",
            "Seconds to route a request",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=self.registry,
        )

    def count(self, routing: Routing, seconds: float) -> None:
        """Adds one request."""
        for candidate, task, reason in zip(routing.candidate, routing.task, routing.reason_N, strict=True):
            self.decisions.labels(candidate, "none" if task is None else str(task), str(reason)).inc()
        self.unassigned.inc(int((routing.task_N < 0).sum()))
        self.seconds.observe(seconds)


def create_app(path: Path, config: ServingConfig | None = None) -> FastAPI:
    """The application that serves a bundle or a published root.

    Raises:
        BundleError: the router can't be loaded.
    """
    limits = config or ServingConfig()
    reigning, meters = Reigning(path, limits), Meters()

    def admit(request: Request) -> None:
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

    @app.post("/v1/route", dependencies=[Depends(admit)])
    def route(asked: Asked) -> dict[str, Any]:
        prompts = _prompts(asked, limits)
        router, start = reigning.get(), time.perf_counter()
        try:
            routing = router.route(prompts, asked.policy)
        except ValueError as error:
            raise HTTPException(422, _plain(str(error))) from None
        meters.count(routing, time.perf_counter() - start)
        columns = routing.to_columns()
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return {"router_id": router.router_id, "decisions": rows}

    @app.get("/v1/router", dependencies=[Depends(admit)])
    def describe() -> dict[str, Any]:
        router = reigning.get()
        return {"router_id": router.router_id, "candidates": router.candidates, "failed_reloads": reigning.failures}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "router_id": reigning.get().router_id}

    @app.get("/metrics", dependencies=[Depends(admit)])
    def metrics() -> Response:
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def serve(path: Path, host: str = "127.0.0.1", port: int = 8080, config: ServingConfig | None = None) -> None:
    """Serves until interrupted; on loopback unless told otherwise.

    Raises:
        BundleError: the router can't be loaded.
    """
    uvicorn.run(create_app(path, config), host=host, port=port, log_level="warning", access_log=False)


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

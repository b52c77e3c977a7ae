"""A published router over HTTP: decisions, outcomes, the console and metrics. Prompts are never in messages."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from pointsman.router import Router
from pointsman.serving import console
from pointsman.serving.batching import Batcher, Crowded
from pointsman.serving.config import ServingConfig
from pointsman.serving.connections import bounded_protocol
from pointsman.serving.contract import REFUSALS, Answer, Asked, Described, Kept, Told
from pointsman.serving.decision_log import DecisionLog
from pointsman.serving.in_service import InService
from pointsman.serving.jobs import Job, Piece, Predicted, joined
from pointsman.serving.limits import RETRY_SECONDS, Admit, LimitBody
from pointsman.serving.meters import Meters
from pointsman.serving.requests import job_of, plain
from pointsman.serving.service import Service
from pointsman.serving.shadow import Shadow

__all__ = ["ServingConfig", "create_app", "serve"]
PATIENCE = 0.05
"""Seconds that an answer may take before the server asks whether the client is still there."""
OPEN_TO_ALL = ("/healthz", "/", "/openapi.json")
"""Paths that need no token: neither the console's page nor the forms of requests hold figures."""


def create_app(path: str | Path, config: ServingConfig | None = None) -> FastAPI:
    """The application that serves a bundle or a published root; a folder or an fsspec URL.

    Raises:
        BundleError: the router can't be loaded.
        OSError: the decision log's folder can't be written.
    """
    limits = config or ServingConfig()
    in_service, meters = InService(path, every=limits.reload_seconds), Meters()
    challenger = None if limits.shadow is None else InService(limits.shadow, every=limits.reload_seconds)
    log = None if limits.log is None else DecisionLog(limits.log)
    service = Service(limits, meters, log)
    if challenger is not None:
        service.shadow = Shadow(challenger.get, service.shadowed)
    batcher: Batcher[Piece, bytes | Predicted] = Batcher(
        service.predict,
        lambda piece: piece.end - piece.start,
        workers=limits.workers,
        gather=limits.gather,
        room=limits.largest_queue,
    )

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        if log is not None:
            await asyncio.to_thread(log.close)

    # no pages of documentation: they load scripts from elsewhere
    app = FastAPI(title="Pointsman", docs_url=None, redoc_url=None, lifespan=life)
    app.add_middleware(
        LimitBody, largest=limits.largest_body, together=limits.bodies_in_memory, seconds=limits.body_seconds
    )
    # added last, asked first
    app.add_middleware(Admit, token=limits.token, open_to_all=OPEN_TO_ALL)

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> Response:
        # without the input, which may be a prompt
        detail = [{name: entry[name] for name in ("type", "loc", "msg")} for entry in error.errors()]
        return JSONResponse(plain({"detail": detail}), 422)

    @app.post("/v1/route", response_model=Answer, response_model_exclude_none=True, responses=REFUSALS)
    async def route(asked: Asked, request: Request) -> Response:
        start = time.perf_counter()
        try:
            router = in_service.get()
            job = job_of(asked, limits, router.conversation)
            arm = service.arm(job)
            if arm == "challenger" and challenger is not None:
                # it may have learnt from other turns than the champion
                router = challenger.get()
                job = replace(job, prompts=job_of(asked, limits, router.conversation).prompts)
            work = asyncio.ensure_future(_answer(service, batcher, router, arm, job, limits))
            done, _ = await asyncio.wait((work,), timeout=PATIENCE)
            if not done and await _hung_up_first(request, work):
                meters.gave_up()
                return Response(status_code=499)
            body = await work
        except Crowded as error:
            meters.refused()
            raise HTTPException(429, str(error), {"Retry-After": RETRY_SECONDS}) from None
        except ValueError as error:
            raise HTTPException(422, plain(str(error))) from None
        meters.took(time.perf_counter() - start)
        return Response(body, media_type="application/json")

    @app.post("/v1/outcomes", response_model=Kept, responses=REFUSALS)
    async def outcomes(told: Told) -> dict[str, Any]:
        figures = plain(told.figures())
        if not figures:
            raise HTTPException(422, "tell at least one of quality, thumb, tokens, cost_usd, latency_ms, error")
        try:
            logged = service.tell(told.decision_id, figures)
        except OverflowError as error:
            raise HTTPException(429, str(error), {"Retry-After": RETRY_SECONDS}) from None
        return {"decision_id": told.decision_id, "logged": logged}

    _add_pages(app, limits, service, meters, in_service, challenger)
    app.state.service, app.state.log, app.state.in_service = service, log, in_service
    return app


def serve(path: str | Path, host: str = "127.0.0.1", port: int = 8080, config: ServingConfig | None = None) -> None:
    """Serves until interrupted; on loopback unless told otherwise. Says where, what and how it decides.

    Raises:
        BundleError: the router can't be loaded.
        OSError: the decision log's folder can't be written.
    """
    limits = config or ServingConfig()
    app = create_app(path, limits)
    router = app.state.in_service.get()
    print(
        f"pointsman: http://{host}:{port} serves router {router.router_id[:12] or '(unnamed)'} "
        f"(policy {router.operating_policy}, {len(router.candidates)} candidates, "
        f"{'a token is asked for' if limits.token else 'no token'}"
        f"{f', decisions in {limits.log.folder}' if limits.log else ''}); end with Ctrl-C",
        flush=True,
    )
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="error",
        access_log=False,
        ws="none",
        http=bounded_protocol(limits.header_seconds, limits.largest_crowd),
        timeout_keep_alive=max(1, round(limits.idle_seconds)),
        timeout_graceful_shutdown=max(1, round(limits.goodbye_seconds)),
    )


def _add_pages(
    app: FastAPI,
    limits: ServingConfig,
    service: Service,
    meters: Meters,
    in_service: InService,
    challenger: InService | None,
) -> None:
    """What people and monitors look at."""

    @app.get("/v1/router", response_model=Described, responses={401: REFUSALS[401]})
    def describe() -> dict[str, Any]:
        router = in_service.get()
        shadow = None if challenger is None else challenger.get().router_id
        return {
            **_described(router),
            "failed_reloads": in_service.failures,
            "shadow_router_id": shadow,
            "canary": None if service.canary is None else service.canary.described(),
        }

    @app.get("/v1/traffic", responses={401: REFUSALS[401]})
    def traffic() -> dict[str, Any]:
        """Sums since the start and the last decisions, for the console."""
        return {**meters.traffic(), "recent": service.recent(), "explore": limits.explore.rate}

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok", "router_id": in_service.get().router_id}

    @app.get("/metrics", response_class=PlainTextResponse, responses={401: REFUSALS[401]})
    def metrics() -> Response:
        page = meters.page(
            in_service.get(),
            failures=in_service.failures + (challenger.failures if challenger else 0),
            shed=service.shed,
            log_failures=service.log_failures,
            left_out=service.shadow.left_out if service.shadow else 0,
        )
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    @app.get("/", include_in_schema=False)
    def page() -> Response:
        return Response(console.page(), media_type="text/html", headers=console.HEADERS)


async def _answer(
    service: Service,
    batcher: Batcher[Piece, bytes | Predicted],
    router: Router,
    arm: Any,
    job: Job,
    limits: ServingConfig,
) -> bytes:
    """The body; a large request goes piece by piece, a few at a time, and is decided as one in the end."""
    size = len(job.prompts)
    if size <= max(limits.piece, 1):
        whole = await asyncio.wrap_future(batcher.submit(Piece(router=router, arm=arm, job=job, start=0, end=size)))
        assert isinstance(whole, bytes)  # noqa: S101  # a whole piece is answered
        return whole
    waiting: list[asyncio.Future[bytes | Predicted]] = []
    parts: list[Predicted] = []
    try:
        for start in range(0, size, limits.piece):
            piece = Piece(router=router, arm=arm, job=job, start=start, end=min(start + limits.piece, size))
            waiting.append(asyncio.wrap_future(_submit(batcher, piece)))
            if len(waiting) >= limits.workers:
                parts.append(_part(await waiting.pop(0)))
        while waiting:
            parts.append(_part(await waiting.pop(0)))
    finally:
        for future in waiting:
            future.cancel()
    return await asyncio.to_thread(service.finish, router, arm, job, joined(parts))


def _submit(batcher: Batcher[Piece, bytes | Predicted], piece: Piece) -> "Future[bytes | Predicted]":
    return batcher.submit(piece, piece=True)


def _part(answer: bytes | Predicted) -> Predicted:
    assert isinstance(answer, Predicted)  # noqa: S101  # a part is never answered
    return answer


async def _hung_up_first(request: Request, work: "asyncio.Future[bytes]") -> bool:
    """Waits for the answer or the client's end; work for a client that is gone is dropped."""
    gone = asyncio.ensure_future(request.receive())
    try:
        while not work.done():
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            if gone.done() and not work.done():
                if gone.result()["type"] == "http.disconnect":
                    work.cancel()
                    return True
                gone = asyncio.ensure_future(request.receive())
        return False
    finally:
        gone.cancel()


def _described(router: Router) -> dict[str, Any]:
    ids = router.task_ids or tuple(map(str, range(len(router.tasks))))
    return {
        "router_id": router.router_id,
        "operating_policy": router.operating_policy,
        "asked_policy": router.asked_policy,
        "candidates": list(router.candidates),
        "retired": [name for name, gone in zip(router.candidates, router.facts.retired_M, strict=True) if gone],
        "best_single": router.candidates[router.best_single],
        "tasks": [{"id": name, "label": label} for name, label in zip(ids, router.tasks, strict=True)],
    }

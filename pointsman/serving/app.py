"""A published router over HTTP: decisions, outcomes, the console and metrics. Prompts are never in messages."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from pointsman.serving.batching import Crowded
from pointsman.serving.config import ServingConfig
from pointsman.serving.connections import FairServer, bound, bounded_protocol, cannot_listen, room_for, url_of
from pointsman.serving.contract import REFUSALS, Answer, Asked, Kept, Told
from pointsman.serving.decider import Decider
from pointsman.serving.decision_log import DecisionLog
from pointsman.serving.in_service import InService
from pointsman.serving.limits import RETRY_SECONDS, Admit, LimitBody
from pointsman.serving.meters import Meters
from pointsman.serving.pages import add_pages
from pointsman.serving.requests import job_of, plain
from pointsman.serving.service import Service
from pointsman.serving.shadow import Shadow

if TYPE_CHECKING:
    from pointsman.serving.upstream import Upstream

__all__ = ["ServingConfig", "create_app", "serve"]
OPEN_TO_ALL = ("/healthz", "/", "/openapi.json")
"""Paths that need no token: neither the console's page nor the forms of requests hold figures."""


def create_app(path: str | Path, config: ServingConfig | None = None) -> FastAPI:
    """The application that serves a bundle or a published root; a folder or an fsspec URL.

    Raises:
        BundleError: the router can't be loaded.
        OSError: the decision log's folder can't be written.
    """
    limits = config or ServingConfig()
    from_here = partial(InService, every=limits.reload_seconds, prices=limits.prices, trust=limits.trust)
    in_service, meters = from_here(path), Meters()
    challenger = None if limits.shadow is None else from_here(limits.shadow)
    log = None if limits.log is None else DecisionLog(limits.log)
    service = Service(limits, meters, log)
    if challenger is not None:
        service.shadow = Shadow(challenger.get, service.shadowed)
    decider = Decider(limits, service, meters, in_service, challenger)
    upstream = _upstream(limits)

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        if upstream is not None:
            await upstream.close()
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
            body = await decider.decide(partial(job_of, asked, limits), request)
        except Crowded as error:
            meters.refused()
            raise HTTPException(429, str(error), {"Retry-After": RETRY_SECONDS}) from None
        except ValueError as error:
            raise HTTPException(422, plain(str(error))) from None
        if body is None:
            return Response(status_code=499)
        meters.took(time.perf_counter() - start)
        return Response(body, media_type="application/json")

    @app.post("/v1/outcomes", response_model=Kept, responses=REFUSALS)
    async def outcomes(outcome: Told) -> dict[str, Any]:
        figures = plain(outcome.figures())
        if not figures:
            raise HTTPException(422, "tell at least one of quality, thumb, tokens, cost_usd, latency_ms, error")
        try:
            logged = service.tell(outcome.decision_id, figures)
        except OverflowError as error:
            raise HTTPException(429, str(error), {"Retry-After": RETRY_SECONDS}) from None
        return {"decision_id": outcome.decision_id, "logged": logged}

    if upstream is not None:
        from pointsman.serving.completions import add_completions  # noqa: PLC0415  # needs httpx

        add_completions(app, limits, service, in_service, upstream, decider.decide)
    add_pages(app, limits, service, meters, in_service, challenger, path)
    app.state.service, app.state.log, app.state.in_service = service, log, in_service
    return app


def serve(path: str | Path, host: str = "127.0.0.1", port: int = 8080, config: ServingConfig | None = None) -> None:
    """Serves until interrupted; on loopback unless told otherwise. Says where, what and how it decides.

    Raises:
        BundleError: the router can't be loaded.
        InputError: the host isn't this machine's, or the port is taken.
        OSError: the decision log's folder can't be written.
    """
    limits = config or ServingConfig()
    # a place that can't be had is told before a router is loaded, and none is told of before it is had
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(each) for each in bound(host, port)]
        app = create_app(path, limits)
        router = app.state.in_service.get()
        port = sockets[0].getsockname()[1]
        try:
            for each in sockets:
                each.listen()
        except OSError as error:
            # another one was bound as well, and listens since
            raise cannot_listen(host, port, error.strerror or str(error)) from None
        print(
            f"pointsman: {url_of(host, port)} serves router {router.router_id[:12] or '(unnamed)'} "
            f"(policy {router.operating_policy}, {len(router.candidates)} candidates, "
            f"{'a token is asked for' if limits.token else 'no token'}"
            f"{f', decisions in {limits.log.url or limits.log.folder}' if limits.log else ''}); end with Ctrl-C",
            flush=True,
        )
        server = _server(app, limits)
        # as uvicorn.run does: Ctrl-C is no error
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets)


def _server(app: FastAPI, limits: ServingConfig) -> FairServer:
    # chat completions have a connection to the server behind as well
    crowd = room_for(limits.largest_crowd, 1 if limits.upstream is None else 2)
    return FairServer(
        uvicorn.Config(
            app,
            log_level="error",
            access_log=False,
            ws="none",
            http=bounded_protocol(limits.header_seconds, crowd),
            timeout_keep_alive=max(1, round(limits.idle_seconds)),
            timeout_graceful_shutdown=max(1, round(limits.goodbye_seconds)),
        )
    )


def _upstream(limits: ServingConfig) -> "Upstream | None":
    if limits.upstream is None:
        return None
    from pointsman.serving.upstream import Upstream  # noqa: PLC0415  # needs httpx

    return Upstream(limits.upstream, connections=limits.largest_crowd)

"""What people and monitors look at: the router, traffic, health, metrics and the console."""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Query, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from pointsman.router import Router
from pointsman.serving import console
from pointsman.serving.config import ServingConfig
from pointsman.serving.contract import REFUSALS, Described
from pointsman.serving.in_service import InService
from pointsman.serving.meters import Meters
from pointsman.serving.service import Service
from pointsman.serving.standing import curve, history
from pointsman.whatif import REQUESTS


def add_pages(
    app: FastAPI,
    limits: ServingConfig,
    service: Service,
    meters: Meters,
    in_service: InService,
    challenger: InService | None,
    path: str | Path,
) -> None:
    """What people and monitors look at."""

    # reading a bundle verifies all of it: once for each router
    @lru_cache(maxsize=8)
    def curve_of(router_id: str, requests: int) -> dict[str, Any]:
        return curve(path, requests)

    @app.get("/v1/router", response_model=Described, responses={401: REFUSALS[401]})
    def describe() -> dict[str, Any]:
        router = in_service.get()
        shadow = None if challenger is None else challenger.get().router_id
        trial = None if shadow is None else service.trials.of(shadow)
        return {
            **_described(router),
            "failed_reloads": in_service.failures,
            "shadow_router_id": shadow,
            "canary": None if trial is None else trial.described(),
        }

    @app.get("/v1/traffic", responses={401: REFUSALS[401]})
    def traffic() -> dict[str, Any]:
        """Sums since the start and the last decisions, for the console."""
        return {**meters.traffic(), "recent": service.recent(), "explore": limits.explore.rate}

    @app.get("/v1/standing", responses={401: REFUSALS[401], 422: REFUSALS[422]})
    def standing(requests: Annotated[int, Query(ge=1, le=10**12)] = REQUESTS) -> dict[str, Any]:
        """What other policies would cost and get at so many requests a month, and the last verdicts."""
        router_id = in_service.get().router_id
        return {"whatif": curve_of(router_id, requests), "history": history(path)}

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


def _described(router: Router) -> dict[str, Any]:
    ids = router.task_ids or tuple(map(str, range(len(router.tasks))))
    return {
        "router_id": router.router_id,
        "operating_policy": router.operating_policy,
        "asked_policy": router.asked_policy,
        "candidates": list(router.candidates),
        "retired": [name for name, gone in zip(router.candidates, router.facts.retired_M, strict=True) if gone],
        "prices": {name: asdict(price) for name, price in router.prices.items()},
        "best_single": router.candidates[router.best_single],
        "tasks": [{"id": name, "label": label} for name, label in zip(ids, router.tasks, strict=True)],
    }

"""How people learn of a retrain's end: one line in the run's log, and to a webhook where one is set."""

import json
import logging
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from prefect.context import FlowRunContext
from prefect.logging.loggers import flow_run_logger
from prefect.utilities.urls import url_for

from components.reports.ending import Outcome, ending_line
from flows.platform.references import DataRef
from flows.platform.settings import settings

if TYPE_CHECKING:
    from prefect import Flow, State
    from prefect.client.schemas.objects import FlowRun

    from flows.stations.promote import Verdicted

_PATIENCE_S = 5


def show_component_logs() -> None:
    """Lets components' own log records through at the level of Prefect's runs; the handler is Prefect's."""
    for name in ("pointsman", "components", "flows"):
        logging.getLogger(name).setLevel(settings().log_level)


def notify_verdict(judged: DataRef, verdict: "Verdicted") -> str:
    """Tells that a retrain ended with a verdict; the line."""
    report: dict[str, Any] = json.loads(judged.file("report.json").read_text())
    methods, operating = report["methods"], report.get("operating")
    context = FlowRunContext.get()
    flow_run = context.flow_run if context else None
    line = ending_line(
        "retrain",
        verdict.verdict,
        router_id=verdict.router_id,
        quality=operating["quality"] if operating else methods["router"]["quality"],
        best_single=[operating["best_single"]["quality"]] if operating else methods["best_single"]["quality"],
        reasons=verdict.reasons,
        links={
            "MLflow": verdict.run_url,
            "report": str(verdict.report),
            "Prefect": (url_for(flow_run) if flow_run else None) or "",
        },
    )
    logger: Any = flow_run_logger(flow_run) if flow_run else logging.getLogger(__name__)
    _tell(line, verdict.verdict, logger)
    return line


def notify_failure(flow: "Flow[Any, Any]", flow_run: "FlowRun", state: "State[Any]") -> None:
    """Hook of a flow that failed, crashed or was cancelled."""
    outcome: Outcome = "crashed" if state.is_crashed() else "cancelled" if state.is_cancelling() else "failed"
    line = ending_line(
        flow.name,
        outcome,
        reasons=[state.message or f"{state.name} without a message"],
        links={"MLflow": _mlflow_search(str(flow_run.id)), "Prefect": url_for(flow_run) or ""},
    )
    _tell(line, outcome, flow_run_logger(flow_run, flow))


def _mlflow_search(flow_run_id: str) -> str:
    """MLflow's list of the runs that this flow run made: their ids need no look-up, which could fail as well."""
    wanted = quote(f"tags.`prefect.flow_run_id` = '{flow_run_id}'", safe="")
    return f"{settings().mlflow_ui}/#/search-runs?searchFilter={wanted}"


def _tell(line: str, outcome: Outcome, logger: Any) -> None:
    logger.log(logging.ERROR if outcome in {"failed", "crashed", "cancelled"} else logging.INFO, line)
    try:
        url = settings().webhook
        problem = post(url, {"text": line, "outcome": outcome}) if url else None
    except ValueError as error:
        # where no command looked at the environment first
        problem = str(error)
    if problem is not None:
        logger.warning("the webhook could not be called: %s", problem)


def post(url: str, document: dict[str, str], patience_s: float = _PATIENCE_S) -> str | None:
    """Posts JSON once; what went wrong, or None. Never raises: a retrain doesn't fail because a chat is down.

    Args:
        url: may hold a secret, which isn't told.
        document: what is posted.
        patience_s: seconds for the whole call, whatever the server sends meanwhile.
    """
    ended: list[str | None] = []
    # httpx's own limit counts anew with every byte that comes, and a daemon doesn't keep the process from its end
    caller = threading.Thread(target=lambda: ended.append(_post(url, document, patience_s)), daemon=True)
    caller.start()
    caller.join(patience_s)
    return ended[0] if ended else f"timed out after {patience_s:g} s"


def _post(url: str, document: dict[str, str], patience_s: float) -> str | None:
    try:
        # an answer's body says nothing that is needed
        with httpx.stream("POST", url, json=document, timeout=patience_s, follow_redirects=True) as answer:
            return None if answer.is_success else f"HTTP {answer.status_code}"
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {str(error).replace(url, 'the address')}"
    except Exception as error:
        # of an address that can't be used or encoded: the words quote parts of it
        return type(error).__name__

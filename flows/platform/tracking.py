"""The MLflow run of a retrain: open while the flow runs, and never open after."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from prefect import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound

from components.tracking.abandoned import close_abandoned, owner_alive
from components.tracking.registry import PARENT, Registry
from components.tracking.run_figures import flat
from flows.platform import paths
from flows.platform.settings import settings

FLOW_RUN = "prefect.flow_run_id"


def registry(experiment: str = "pointsman") -> Registry:
    """This installation's MLflow; what isn't a retrain may have an experiment of its own."""
    return Registry(settings().tracking_uri, paths.artifacts(), experiment)


def run_url(mlflow: Registry, run_id: str) -> str:
    """A run's page in MLflow, for a browser."""
    return f"{settings().mlflow_ui}/#/experiments/{mlflow.experiment_id}/runs/{run_id}"


@contextmanager
def tracked(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Closes what dead runs left open, then keeps a run open for as long as the block runs.

    The run ends as FINISHED, as FAILED where the block raises, or as KILLED where someone stops it.
    """
    mlflow, context = registry(), FlowRunContext.get()
    close_abandoned(mlflow, maker_alive)
    flow_run = context.flow_run if context else None
    run_id = mlflow.start_run(
        f"retrain-{flow_run.name}" if flow_run else "retrain",
        params=flat(parameters),
        tags={FLOW_RUN: str(flow_run.id)} if flow_run else None,
    )
    try:
        with mlflow.monitored(run_id):
            yield run_id
    except BaseException as error:
        _close(mlflow, run_id, "FAILED" if isinstance(error, Exception) else "KILLED")
        raise
    mlflow.finish(run_id)


def maker_alive(tags: Mapping[str, str]) -> bool | None:
    """Whether a run's maker lives: its process where that is here, its flow run's state where it isn't."""
    known, flow_run = owner_alive(tags), tags.get(FLOW_RUN)
    if known is not None or flow_run is None:
        return known
    context = FlowRunContext.get()
    if context and context.flow_run and str(context.flow_run.id) == flow_run:
        # an earlier attempt of the very run that asks
        return False
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(flow_run)).state
    except ObjectNotFound:
        return None
    return None if state is None else not state.is_final()


def _close(mlflow: Registry, run_id: str, status: str) -> None:
    try:
        close_abandoned(mlflow, lambda tags: tags.get(PARENT) != run_id, status)
        mlflow.finish(run_id, status)
    except Exception:
        # the error that ended the flow says more than this one, and the next run closes what stays open
        logging.getLogger(__name__).exception("MLflow run %s stays open", run_id)

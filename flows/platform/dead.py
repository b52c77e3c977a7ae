"""Runs whose process was killed where no worker watches it: found by the next run in the same place, and ended."""

from typing import TYPE_CHECKING

from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed

from components.tracking.owner import parse_owner, this_process

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

LABEL = "pointsman.owner"
"""Label of a run: the process that it runs in."""


def claim_run() -> None:
    """Says in the present run's labels which process it runs in, and ends runs whose process is gone."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    with get_client(sync_client=True) as client:
        client.update_flow_run_labels(context.flow_run.id, {LABEL: str(this_process())})
        end_dead_runs(client)


def end_dead_runs(client: "SyncPrefectClient") -> int:
    """Marks runs as crashed that a dead process of this machine left running; how many.

    Runs of deployments are left to the automations, which may go on with them.
    """
    running = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING])))
    dead = 0
    for run in client.read_flow_runs(flow_run_filter=running):
        owner = parse_owner(str((run.labels or {}).get(LABEL, "")))
        if run.deployment_id is None and owner is not None and owner.alive is False:
            message = "Its process is gone, and nothing says how it ended."
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            dead += 1
    return dead

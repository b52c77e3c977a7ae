"""Runs whose process and worker both died, as in a power cut: found by their silence, and resumed without a person."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from prefect.client.schemas.objects import StateType
from prefect.events import EventTrigger
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, Posture

from flows.platform.endings import STATES

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

RESUME = "resume runs that went silent"
MARK = "mark silent runs as crashed"

_SILENCE = timedelta(seconds=90)
"""Three heartbeats: a busy machine must not look like a dead one."""
_EVENT = "prefect.flow-run."
_HEARTBEAT = f"{_EVENT}heartbeat"
# not Running: it is told about the same time as the first heartbeat, and would stand for the second one
_ENDS = (
    *("Completed", "Failed", "Cancelled", "Crashed", "Cancelling", "Paused", "Suspended", "AwaitingRetry"),
    *STATES,
)


def silence(flows: Sequence[str]) -> EventTrigger:
    """Fires for each run of these flows, started from one of our deployments, whose heartbeats stop before its end.

    Args:
        flows: their names.
    """
    return EventTrigger(
        after={_HEARTBEAT},
        expect={_HEARTBEAT, *(_EVENT + state for state in _ENDS)},
        match={"prefect.resource.id": f"{_EVENT}*"},
        # a run from the command line has no tags: no worker could go on with it
        match_related=[
            {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.pointsman"},
            {"prefect.resource.role": "flow", "prefect.resource.name": [*flows]},
        ],
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=_SILENCE,
    )


def automations(resumable: Iterable[str], others: Iterable[str]) -> list[AutomationCore]:
    """What the server does with silent runs.

    Args:
        resumable: names of flows that may run twice: any worker goes on with such a run, and stations that are done
            aren't done again.
        others: names of flows for which a second run would change more than the first; a person decides.
    """
    return [
        AutomationCore(
            name=RESUME,
            description="No heartbeat for 90 s: its process and its worker are dead. Any worker goes on with the run.",
            trigger=silence(sorted(resumable)),
            actions=[
                ChangeFlowRunState(
                    state=StateType.SCHEDULED,
                    name="AwaitingRetry",
                    message="No heartbeat for 90 s; resumed without a person.",
                    force=False,
                )
            ],
        ),
        AutomationCore(
            name=MARK,
            description="No heartbeat for 90 s: its process and its worker are dead. Look before you run it again.",
            trigger=silence(sorted(others)),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED, name="Crashed", message="No heartbeat for 90 s; not resumed.", force=False
                )
            ],
        ),
    ]


def install(wanted: Iterable[AutomationCore], client: "SyncPrefectClient") -> None:
    """Brings the server's automations up to date; one that somebody switched off stays off.

    What is as wanted isn't sent again: with each update the server forgets which runs it waits to hear from, and a
    worker that starts anew after a crash would make it forget those that the crash silenced.
    """
    for automation in wanted:
        standing = client.read_automations_by_name(automation.name)
        if not standing:
            client.create_automation(automation)
        for found in standing:
            renewed = automation.model_copy(update={"enabled": found.enabled})
            if _says(renewed) != _says(found):
                client.update_automation(found.id, renewed)


def _says(automation: AutomationCore) -> dict[str, Any]:
    return automation.model_dump(include={"description", "trigger", "actions", "enabled"})

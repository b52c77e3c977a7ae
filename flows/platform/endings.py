"""How a run reads in Prefect's lists: its name says data, date and verdict, its state what came out of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from prefect import get_client
from prefect.runtime import flow_run as running
from prefect.states import Completed

if TYPE_CHECKING:
    from prefect import Flow, State
    from prefect.client.schemas.objects import FlowRun

STATES = ("Promoted", "To canary", "Awaits approval", "Refused", "Not enough evidence", "Drift", "No drift")
"""Names of the states that verdicts give."""


@runtime_checkable
class Judged(Protocol):
    """A flow's result that has a verdict."""

    @property
    def verdict(self) -> str:
        """In lower case."""


def run_name() -> str:
    """The name of a run that begins: its data and the date, as `logs 2026-11-27`."""
    given = running.parameters.get("parameters")
    asked = given if isinstance(given, dict) else vars(given) if given is not None else {}
    data = asked.get("data") or asked.get("recent")
    started = running.scheduled_start_time
    name = Path(str(data)).resolve().name if data else "simulated" if "data" in asked else str(running.flow_name)
    return f"{name} {started:%Y-%m-%d %H:%M}"


def state_name(verdict: str) -> str:
    """A verdict as the name of a state.

    >>> state_name("not enough evidence")
    'Not enough evidence'
    """
    return verdict[:1].upper() + verdict[1:]


def name_ending(flow: "Flow[Any, Any]", flow_run: "FlowRun", state: "State[Any]") -> None:
    """Hook of a flow that completed: its verdict becomes the state's name and the end of the run's name."""
    result = state.result(raise_on_failure=False)
    if not isinstance(result, Judged):
        return
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(
            flow_run.id, Completed(name=state_name(result.verdict), message=_message(result)), force=True
        )
        client.update_flow_run(flow_run.id, name=f"{flow_run.name} {result.verdict}")


def _message(result: Judged) -> str | None:
    reasons = getattr(result, "reasons", ())
    return "; ".join(str(reason) for reason in reasons)[:1000] or None

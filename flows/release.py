"""Promotion and rollback as flows: what the command line does, one click away and on the record."""

from typing import Annotated

from prefect import flow
from prefect.artifacts import create_table_artifact
from pydantic import BaseModel, Field

from components.release.history import read_history
from flows.platform import paths
from flows.platform.endings import name_ending, run_name
from flows.platform.forms import MAY_BE_EMPTY
from flows.stations.promote import Verdicted, promote_waiting, roll_back


class PromoteParameters(BaseModel):
    """On whose word the waiting challenger is published."""

    canary: Annotated[str | None, MAY_BE_EMPTY] = Field(
        title="Decision log of the canary",
        default=None,
        description="Folder or URL of the decision log of the server that tries the challenger on a share of the "
        "traffic: it is published if it succeeded there, refused if it was stopped, and goes on waiting else; empty: "
        "at once.",
    )


class RollbackParameters(BaseModel):
    """Which router shall serve again."""

    to: Annotated[str | None, MAY_BE_EMPTY] = Field(
        title="Router to return to",
        default=None,
        pattern="^[0-9a-f]{4,64}$",
        description="Router id, or a beginning that no other has; empty: the router before this one.",
    )


@flow(name="promote", flow_run_name=run_name, log_prints=True, on_completion=[name_ending])
def promote(parameters: PromoteParameters) -> Verdicted:
    """Publishes the waiting challenger if its verdict allows it and still holds, and its canary if there was one."""
    verdict = promote_waiting(canary=parameters.canary)
    print(f"{verdict.router_id[:12]}: {verdict.verdict} {'; '.join(verdict.reasons)}".rstrip())
    note_history()
    return verdict


@flow(name="rollback", flow_run_name=run_name, log_prints=True)
def rollback(parameters: RollbackParameters) -> str:
    """Makes an earlier router serve again; running gateways take it within a second."""
    router_id = roll_back(parameters.to)
    print(f"{router_id[:12]} is in service again")
    note_history()
    return router_id


def note_history() -> None:
    """The verdicts, newest first, on the run's page."""
    rows = [
        {
            "time": entry.time,
            "verdict": entry.verdict,
            "router": entry.router_id[:12],
            "reasons": "; ".join(entry.reasons),
            "by": entry.who,
        }
        for entry in reversed(read_history(paths.published()))
    ]
    create_table_artifact(table=rows, key="history", description="Every verdict: what was in service when, and why")

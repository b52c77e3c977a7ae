"""The deployments that the Prefect dashboard offers: which flow, when, and with which folders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, get_type_hints

from flows.platform import paths

if TYPE_CHECKING:
    from prefect import Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One deployment."""

    flow: str
    """Dotted name of the flow."""
    name: str
    """Of the deployment; it is shown as flow/name."""
    description: str
    """Markdown, what it does and what it changes."""
    cron: str | None = None
    """When it runs, UTC, once somebody switches it on; None: only by hand."""
    writes: bool = True
    """Whether it changes the installation: then a second run waits for the first."""
    on_drift: bool = False
    """Whether a drift event runs it as well."""
    resumes: bool = True
    """Whether a run that was cut off may be run again without a person."""
    folders: Mapping[str, str] = field(default_factory=dict)
    """Parameters that name folders: where they are in the installation."""
    formerly: str | None = None
    """The deployment's name in an earlier version: its schedules are taken over, then it is removed."""

    @property
    def tags(self) -> list[str]:
        """Of the deployment and its runs."""
        return ["pointsman", "writes" if self.writes else "reads"]


OFFERS = (
    Offer(
        flow="flows.retrain.retrain",
        name="from-your-logs",
        formerly="weekly",
        cron="0 3 * * 1",
        on_drift=True,
        folders={"data": "data/logs"},
        description="Trains a router on the logs in `data/logs`, judges it, and publishes it if it passes the gate.\n\n"
        "A drift event runs it too. The weekly schedule is off until you switch it on.",
    ),
    Offer(
        flow="flows.retrain.retrain",
        name="from-live-decisions",
        cron="0 4 * * *",
        folders={"data": "data/logs", "decisions": "data/decisions"},
        description="Takes the decision log in `data/decisions` (`pointsman serve --decisions data/decisions`) into "
        "the tables in `data/logs`, then trains, judges and publishes as *from-your-logs* does.\n\nThe daily schedule "
        "is off until you switch it on.",
    ),
    Offer(
        flow="flows.demo.demo",
        name="on-simulated-logs",
        description="Tries everything on simulated logs, in an installation of its own (`data/demo`): the router in "
        "service stays as it is.",
    ),
    Offer(
        flow="flows.compare.compare",
        name="every-method",
        formerly="methods",
        folders={"data": "data/logs"},
        description="Every method on several splits of the logs in `data/logs`, or of another folder: tables, figures "
        "and a verdict on each pair, with intervals.",
    ),
    Offer(
        flow="flows.release.promote",
        name="waiting-challenger",
        formerly="challenger",
        description="Publishes the waiting challenger if its verdict allows it and still holds. With the decision log "
        "of a canary only if it succeeded there.",
    ),
    Offer(
        flow="flows.release.rollback",
        name="to-an-earlier-router",
        formerly="earlier",
        # cut off after it published, it would go back by one router more
        resumes=False,
        description="Puts an earlier router back into service: the one before, or the one you name.",
    ),
    Offer(
        flow="flows.drift.drift",
        name="of-recent-prompts",
        formerly="daily",
        cron="0 6 * * *",
        writes=False,
        folders={"recent": "data/recent"},
        description="Recent prompts against those the router in service was trained on; a drift event starts a "
        "retrain on `data/logs`.\n\nPut the prompts in `data/recent`, or name another folder. The daily schedule is "
        "off until you switch it on.",
    ),
    Offer(
        flow="flows.grade.grade",
        name="answers",
        folders={"data": "data/logs"},
        description="Gives the answers in `data/logs` grades, by right answers, a judge, feedback or votes, and "
        "derives their quality. A judge's API key comes from the environment or the Secret block `pointsman-llm-key`.",
    ),
    Offer(
        flow="flows.collect.collect",
        name="missing-answers",
        folders={"data": "data/logs"},
        description="Chooses prompts in `data/logs` whose missing answers tell most, prints the bill and, with "
        "*Only print the bill* switched off, buys them within the budget. What is bought is never bought again.",
    ),
    Offer(
        flow="flows.onboard.onboard",
        name="a-new-candidate",
        # cut off after it published, it would find its candidate there
        resumes=False,
        folders={"data": "data/logs"},
        description="Adds a candidate to the router in service from about 200 graded answers, in a minute; nothing "
        "else is trained again, and the gate judges. Or takes one out.",
    ),
    Offer(
        flow="flows.extrapolation.extrapolation",
        name="of-implicit-models",
        formerly="study",
        description="Do implicit models extrapolate? Each problem with several seeds, against the paper's claims.",
    ),
)


def load(offer: Offer) -> "Flow[Any, Any]":
    """The flow itself."""
    module, _, name = offer.flow.rpartition(".")
    found: Flow[Any, Any] = getattr(import_module(module), name)
    return found


def defaults(offer: Offer) -> dict[str, Any]:
    """The form's first values: the flow's own defaults, and the offer's folders in this installation."""
    given = {name: str(paths.home() / folder) for name, folder in offer.folders.items()}
    kinds = {name: kind for name, kind in get_type_hints(load(offer).fn).items() if name != "return"}
    return {name: kind(**given).model_dump(mode="json") for name, kind in kinds.items()}

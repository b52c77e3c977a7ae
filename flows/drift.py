"""Is the world still the one the router was trained on? Recent prompts against the reference that a retrain keeps."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event
from pydantic import BaseModel, Field

from components.drift.config import DriftConfig
from components.drift.inspection import inspect
from components.drift.recent import read_recent
from components.embeddings.cache import embed_cached
from components.reports.drift_page import check_rows, drift_markdown, drift_page, unknown_models
from components.tracking.run_figures import slug
from flows.platform import paths
from flows.platform.dead import claim_run
from flows.platform.endings import name_ending, run_name
from flows.platform.forms import MAY_BE_EMPTY, Folder
from flows.platform.notify import show_component_logs
from flows.platform.references import DataRef, reference
from flows.platform.settings import ui_command
from flows.platform.tracking import registry, run_url
from flows.stations.drift_reference import load_reference
from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import read_bundle
from pointsman.durable import write_whole

EVENT = "pointsman.drift.detected"
"""What an automation listens for."""
PAGE = "drift.html"


class DriftParameters(BaseModel):
    """Settings of this run."""

    recent: Folder = Field(
        title="Folder of recent prompts",
        description="Folder with recent prompts: prompts.parquet or .jsonl (column 'prompt'; 'prompt_id' where a table "
        "'outcomes' is beside it), or embeddings.npy alone where texts must not leave.",
    )
    router: Annotated[Path | None, MAY_BE_EMPTY] = Field(
        title="Router to check", default=None, description="A bundle; empty: the router in service."
    )
    most: int = Field(
        title="Most prompts looked at",
        default=5000,
        ge=50,
        le=100_000,
        description="Recent prompts that are looked at; a sample of more.",
    )
    level: float = Field(
        title="Chance of a false alarm",
        default=0.005,
        gt=0,
        lt=0.5,
        description="Chance of a false alarm in one run, all checks.",
    )
    stability_index: float = Field(
        title="Change of the task mix that matters",
        default=0.1,
        ge=0,
        description="Change of the task mix that alarms (PSI).",
    )
    unassigned_rise: float = Field(
        title="Rise of the unassigned share that matters",
        default=0.05,
        ge=0,
        le=1,
        description="Rise of the unassigned share that alarms.",
    )
    novel_share: float = Field(
        title="Share of a novel group that matters",
        default=0.01,
        ge=0,
        le=1,
        description="Share of prompts in a novel group that alarms.",
    )
    quality_gap: float = Field(
        title="Gap between predicted and observed quality that matters",
        default=0.05,
        ge=0,
        le=1,
        description="Gap of predicted and observed quality that alarms.",
    )
    examples: bool = Field(
        title="Quote prompts",
        default=False,
        description="Quote some of the recent prompts in the report, which MLflow and Prefect keep too.",
    )
    announce: bool = Field(
        title="Start a retrain on an alarm",
        default=True,
        description="On alarm, emit the event that an automation turns into a retrain.",
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed and prompts: same report.")

    def config(self) -> DriftConfig:
        """The component's thresholds."""
        return DriftConfig(
            level=self.level,
            stability_index=self.stability_index,
            unassigned_rise=self.unassigned_rise,
            novel_share=self.novel_share,
            quality_gap=self.quality_gap,
        )


class Drifted(BaseModel, frozen=True):
    """How a drift run ended."""

    verdict: Literal["drift", "no drift"]
    reasons: tuple[str, ...]
    left_out: str
    """A sentence on outcomes of models that the router doesn't know; '': there are none."""
    router_id: str
    report: Path
    """drift.html; drift.json and drift.md are beside it."""
    run_id: str
    run_url: str


@flow(name="drift", flow_run_name=run_name, log_prints=True, on_completion=[name_ending])
def drift(parameters: DriftParameters) -> Drifted:
    """Compares recent prompts with the training logs of the router in service; alarms where they differ."""
    show_component_logs()
    claim_run()
    examined = examine(parameters)
    found = record(examined, parameters.model_dump(mode="json"))
    note_drift(examined, found)
    print(f"{found.verdict}: {'; '.join(found.reasons) or 'every check is quiet'}; report {found.report}")
    if found.verdict == "drift" and parameters.announce:
        announce(found)
    return found


@task(cache_policy=NO_CACHE)
def examine(parameters: DriftParameters) -> DataRef:
    """The report on one folder of recent prompts, as JSON, HTML and Markdown; the same input gives the same files."""
    bundle = read_bundle(resolve(parameters.router or paths.published()))
    router_id, config = bundle.manifest.router_id, parameters.config()
    recent = read_recent(parameters.recent, minimum=config.minimum_prompts).sample(parameters.most, parameters.seed)
    shelf = paths.embeddings()
    report = inspect(
        bundle,
        load_reference(router_id),
        recent,
        config,
        parameters.seed,
        lambda encoder, prompts: embed_cached(encoder, prompts, shelf),
    )
    asked = reference(parameters.recent).digest + parameters.model_dump_json(exclude={"recent", "router", "announce"})
    found = report.as_dict()
    if not parameters.examples:
        found |= {"groups": [group | {"examples": []} for group in found["groups"]]}
    return write_report(found, router_id, hashlib.sha256(asked.encode()).hexdigest())


@task(cache_policy=NO_CACHE)
def record(examined: DataRef, parameters: dict[str, Any]) -> Drifted:
    """One MLflow run with the figures and the report."""
    document = json.loads(examined.file("drift.json").read_text())
    report, router_id = document["report"], document["router_id"]
    mlflow = registry("pointsman-drift")
    tags = {"kind": "drift", "router_id": router_id, "verdict": report["verdict"]}
    name = f"{Path(parameters['recent']).name} {router_id[:8]} {report['verdict']}"
    with mlflow.run(name, params=parameters, tags=tags) as run_id:
        mlflow.log(run_id, metrics=metrics(report))
        mlflow.log_folder(run_id, examined.path, "drift")
    return Drifted(
        verdict=report["verdict"],
        reasons=tuple(report["reasons"]),
        left_out=unknown_models(report),
        router_id=router_id,
        report=examined.file(PAGE),
        run_id=run_id,
        run_url=run_url(mlflow, run_id),
    )


def announce(found: Drifted) -> None:
    """Tells Prefect: the event's resource is the router, so that an automation can match one or all."""
    emit_event(
        event=EVENT,
        resource={
            "prefect.resource.id": f"pointsman.router.{found.router_id}",
            "prefect.resource.name": f"router {found.router_id[:12]}",
        },
        payload={"reasons": list(found.reasons), "report": str(found.report), "run_url": found.run_url},
    )


def note_drift(examined: DataRef, found: Drifted) -> None:
    """The verdict and the checks on the run's page in Prefect."""
    report = json.loads(examined.file("drift.json").read_text())["report"]
    create_markdown_artifact(drift_markdown(report), key="drift", description="Recent prompts against training")
    create_table_artifact(table=check_rows(report), key="drift-checks", description="Figures and thresholds")
    create_link_artifact(link=found.run_url, key="drift-mlflow-run", link_text="The run in MLflow")


def metrics(report: dict[str, Any]) -> dict[str, float]:
    """The report's figures by name, for MLflow."""
    named = {slug(check["name"]): check for check in report["checks"]}
    figures = {f"{name}.{part}": float(check[part]) for name, check in named.items() for part in ("figure", "p")}
    return {**figures, "novel_groups": float(len(report["groups"])), "alarm": float(report["verdict"] == "drift")}


def write_report(report: dict[str, Any], router_id: str, digest: str) -> DataRef:
    """Files a report under its router and the digest of what was asked."""
    folder = paths.drift() / router_id / digest[:16]
    document = {"router_id": router_id, "asked": digest, "report": report}
    for name, text in (
        ("drift.json", json.dumps(document, indent=1, sort_keys=True)),
        ("drift.md", drift_markdown(report)),
        (PAGE, drift_page(report, router_id)),
    ):
        write_whole(folder / name, lambda aside, text=text: aside.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    return reference(folder)


def run_drift(parameters: DriftParameters) -> int:
    """Runs the flow, prints what was found; 0 no drift, 1 drift."""
    found = drift(parameters)
    print(f"{found.verdict}: router {found.router_id[:12]}")
    print("".join(f"  {line}\n" for line in (*found.reasons, found.left_out) if line), end="")
    print(f"report:      {found.report}\ndashboards:  {ui_command()}")
    return int(found.verdict == "drift")

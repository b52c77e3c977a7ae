"""The study of implicit models under shift: problem by problem and seed by seed, so that a stopped run goes on."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, Field, field_validator

from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.methods import TrainingConfig
from components.extrapolation.report import report_metrics, study_report
from components.extrapolation.study import StudyConfig, read_run, run_problem, write_run
from components.reports.extrapolation_page import DATA, PAGE, verdict_rows, write_study
from components.tracking.run_figures import flat
from flows.platform import paths
from flows.platform.caching import cached_task
from flows.platform.dead import claim_run
from flows.platform.endings import run_name
from flows.platform.fan_out import fan_out, task_runner
from flows.platform.forms import MAY_BE_EMPTY
from flows.platform.progress import Progress
from flows.platform.references import DataRef, keep, reference
from flows.platform.tracking import registry, run_url
from flows.presets import PresetName

HEAD = ("problem", "paper says", "we measured", "verdict", "seeds")


class ExtrapolationParameters(BaseModel):
    """Settings of this run."""

    preset: PresetName = Field(
        title="Size of the run", default="full", description="'smoke' learns from few samples, in minutes."
    )
    seed: int = Field(title="First seed", default=0, ge=0, description="The first seed; the others follow it.")
    seeds: Annotated[int | None, MAY_BE_EMPTY] = Field(
        title="Number of seeds", default=None, ge=1, description="How many; empty: 5, or 2 in 'smoke'."
    )
    data: Annotated[Path | None, MAY_BE_EMPTY] = Field(
        title="Folder of real series",
        default=None,
        description="Folder of prices, epicentres and houses; what it lacks is generated.",
    )
    problems: list[str] = Field(
        title="Only these problems", default_factory=list, description=f"Of {', '.join(CATALOGUE)}; empty: all."
    )

    # asked before a server is started, let alone the study
    @field_validator("problems")
    @classmethod
    def _known(cls, problems: list[str]) -> list[str]:
        if unknown := [name for name in problems if name not in CATALOGUE]:
            raise ValueError(f"unknown problem {unknown[0]!r}; known: {', '.join(CATALOGUE)}")
        return problems

    @field_validator("data")
    @classmethod
    def _there(cls, data: Path | None) -> Path | None:
        if data and not data.is_dir():
            raise ValueError(f"{data} is not a folder")
        return data


class Studied(BaseModel, frozen=True):
    """Where the study's results are."""

    page: Path
    data: Path
    """The page's folder, with the same as Markdown and JSON."""
    verdicts: tuple[tuple[str, ...], ...]
    run_id: str
    run_url: str
    """The run in MLflow, for a browser."""


def study_config(preset: PresetName) -> StudyConfig:
    """How much each preset learns from."""
    if preset == "full":
        return StudyConfig(training=TrainingConfig(epochs=40, batch_size=512, learning_rate=1e-2))
    return StudyConfig(train=1000, test=300, training=TrainingConfig(epochs=12, batch_size=128, learning_rate=1e-2))


@cached_task(run_name="{problem}-{seed}")
def measure(problem: str, seed: int, config: StudyConfig, data: DataRef | None) -> DataRef:
    """Every model's errors on one problem with one seed."""
    run = run_problem(problem, seed, config, data.path if data else None)
    return keep("extrapolation", lambda folder: write_run(run, folder / "run.json"))


@task(cache_policy=NO_CACHE)
def conclude(runs: list[DataRef]) -> DataRef:
    """The verdicts and the page, under the reports."""
    report = study_report([read_run(run.file("run.json")) for run in runs])
    digest = hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()
    return reference(write_study(report, paths.reports() / f"extrapolation-{digest[:12]}").parent)


@task(cache_policy=NO_CACHE)
def record(concluded: DataRef, parameters: dict[str, Any]) -> str:
    """One MLflow run a study, with a child for every problem; its id."""
    mlflow, report = registry(), _report(concluded)
    tags = {"kind": "extrapolation"}
    with mlflow.run(f"extrapolation-{concluded.digest[:8]}", params=flat(parameters), tags=tags) as run_id:
        for problem in report["problems"]:
            params = {"metric": problem["metric"], "sources": "; ".join(problem["sources"])}
            mlflow.child(run_id, f"extrapolation-{problem['name']}", params, report_metrics(problem), tags)
        mlflow.log_folder(run_id, concluded.path, "report")
    return run_id


@flow(name="extrapolation", flow_run_name=run_name, log_prints=True, task_runner=task_runner())
def extrapolation(parameters: ExtrapolationParameters) -> Studied:
    """Trains every model on every problem, tests it under growing shift, and judges the paper's claims."""
    claim_run()
    config, chosen = study_config(parameters.preset), parameters.problems or list(CATALOGUE)
    data = reference(parameters.data) if parameters.data else None
    count = parameters.seeds or (5 if parameters.preset == "full" else 2)
    pairs = [(problem, parameters.seed + number) for problem in chosen for number in range(count)]
    shared = {"config": config, "data": data}
    calls = {f"{problem} {seed}": shared | {"problem": problem, "seed": seed} for problem, seed in pairs}
    with Progress("extrapolation", [*calls]) as station:
        runs = fan_out(measure, calls, station)
    concluded = conclude([*runs.values()])
    run_id = record(concluded, parameters.model_dump(mode="json"))
    studied = Studied(
        page=concluded.file(PAGE),
        data=concluded.path,
        verdicts=tuple(verdict_rows(_report(concluded)["findings"])),
        run_id=run_id,
        run_url=run_url(registry(), run_id),
    )
    _note(studied)
    return studied


def run_extrapolation(parameters: ExtrapolationParameters) -> int:
    """Runs the flow and prints its verdicts and where everything is."""
    studied = extrapolation(parameters)
    for problem, claim, measured, verdict, _ in studied.verdicts:
        print(f"{problem}: {claim}\n  {measured}\n  {verdict}")
    print(f"page:    {studied.page}\ntables:  {studied.data}\nMLflow:  {studied.run_url}")
    return 0


def _note(studied: Studied) -> None:
    rows = [dict(zip(HEAD, row, strict=True)) for row in studied.verdicts]
    create_table_artifact(table=rows, key="extrapolation-verdicts", description="The paper's claims and our figures")
    create_link_artifact(link=studied.run_url, key="extrapolation-mlflow-run", link_text="The study in MLflow")


def _report(concluded: DataRef) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(concluded.file(DATA).read_text(encoding="utf-8"))
    return report

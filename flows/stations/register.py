"""Station 8: the router as a bundle, and its report and figures in MLflow."""

import json
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel

from components.learning.latency_fit import latency_of
from components.learning.router import LEARNING
from components.release.writing import write_bundle
from components.reports.markdown import describe
from components.reports.page import write_page
from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import read_tables
from flows.platform import paths
from flows.platform.arrays import load_arrays, load_named
from flows.platform.tracking import registry
from flows.stations.board import read_board
from flows.stations.identity import keep_tasks
from flows.stations.ingest import pages_of
from flows.stations.run_figures import show
from flows.stations.stages import WithReport
from flows.stations.trial import simulated
from flows.stations.verdicts import record_verdict
from pointsman.bundle.evidence import Evidence
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.model.router_model import RouterModel
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.features import FeatureMap

_LIBRARIES = ("numpy", "onnxruntime", "tokenizers", "safetensors", "torch", "scikit-learn", "polars", "igraph")
_GOLDEN = 32


class Challenger(BaseModel, frozen=True):
    """A bundle that waits for its verdict, and where MLflow keeps it."""

    bundle: Path
    router_id: str
    run_id: str = ""
    version: str = ""


def page_folder(router_id: str) -> Path:
    """Where a router's report is."""
    return paths.reports() / router_id


def golden_prompts() -> list[str]:
    """What a bundle decides again when it is loaded: simulated prompts, for what users asked doesn't travel."""
    return generate(PlantedConfig(prompts=_GOLDEN)).tables.prompts["prompt"].to_list()


@task(name="register: bundle", cache_policy=NO_CACHE)
def bundle(stages: WithReport, *, seed: int) -> Challenger:
    """The router as a content-addressed folder, with decisions it must make again when it is loaded."""
    tables, encoder = stages.tables, stages.encoder
    frames = read_tables(tables.path)
    model = RouterModel.from_arrays(load_named(stages.combined.file("router.npz")))
    feature_map = load_arrays(FeatureMap, stages.features.file("feature_map.npz"))
    tasks = json.loads(stages.discovered.file("tasks.json").read_text())
    labels = tuple(task["label"] for task in tasks)
    evidence = load_arrays(Evidence, stages.operated.file("evidence.npz"))
    declared = json.loads(stages.operated.file("operating.json").read_text())
    board = read_board(stages.laid_out)
    names, latency = board.models, latency_of(board.take(board.rows(*LEARNING)), model)
    known = frames.candidates.filter(frames.candidates["model"].is_in(names))
    router = Router(model, feature_map, Encoder.load(encoder.path), names, tasks=labels, evidence=evidence)
    provenance = Provenance(
        candidates=tuple(
            Candidate(
                model=row["model"],
                provider=row["provider"] or "",
                input_usd_per_mtok=row["input_usd_per_mtok"],
                output_usd_per_mtok=row["output_usd_per_mtok"],
                context_window=row.get("context_window"),
                capabilities=None if row.get("capabilities") is None else tuple(sorted(row["capabilities"])),
                retired=bool(row.get("retired")),
            )
            for row in known.iter_rows(named=True)
        ),
        prices_on=known["price_as_of"].max(),  # type: ignore[arg-type]
        tasks=labels,
        task_ids=tuple(str(task["id"]) for task in tasks),
        operating_policy=declared["policy"],
        asked_policy=declared["asked"],
        conversation=frames.conversation,
        data_digests={"tables": tables.digest, "splits": stages.splits.digest}
        | ({"simulated": tables.digest} if simulated(stages.logs) else {}),
        seeds={"retrain": seed},
        code_version=installed("pointsman"),
        library_versions={name: installed(name) for name in _LIBRARIES},
    )
    report: dict[str, Any] = json.loads(stages.judged.file("report.json").read_text())
    golden = router.golden(golden_prompts())
    folder = paths.bundles()
    router_id = write_bundle(folder, model, feature_map, encoder.path, provenance, report, golden, evidence, latency)
    keep_tasks(router_id, stages.discovered)
    record_verdict(router_id, report)
    return Challenger(bundle=folder / router_id, router_id=router_id)


@task(name="register", cache_policy=NO_CACHE)
def register(waiting: Challenger, stages: WithReport, *, run_id: str) -> Challenger:
    """The retrain's MLflow run, with a child for all that was tried, and a model version called challenger."""
    report: dict[str, Any] = json.loads(stages.judged.file("report.json").read_text())
    mlflow, tables = registry(), stages.tables
    mlflow.rename(run_id, f"retrain-{waiting.router_id[:8]}")
    mlflow.log(run_id, tags={"mlflow.note.content": describe(report)})
    rows = read_tables(tables.path).prompts.height
    mlflow.log_dataset(run_id, "tables", tables.digest, str(tables.path), rows)
    for number, trial in enumerate(json.loads(stages.discovered.file("discovery.json").read_text())["trials"]):
        child = mlflow.start_run(f"partition-{number}-{trial['method']}", parent=run_id, params=trial["parameters"])
        mlflow.log(child, metrics={k: v for k, v in trial.items() if isinstance(v, int | float)})
        mlflow.finish(child)
    shown = report | {"map": json.loads(stages.charted.file("map.json").read_text())}
    shown |= pages_of(tables=tables, validated=stages.validated)
    mlflow.log_folder(run_id, write_page(shown, page_folder(waiting.router_id)).parent, "report")
    mlflow.log_folder(run_id, stages.judged.path, "evaluation")
    mlflow.log_folder(run_id, stages.validated.path, "validation")
    told_in = {
        "classifier": stages.classified.file("classifier.json"),
        "experts": stages.specialised.file("experts.json"),
        "router": stages.combined.file("router.json"),
        "implicit_classifier": stages.implicit_classifier.file("figures.json"),
        "implicit_quality": stages.peers["implicit"].file("figures.json"),
    }
    show(mlflow, run_id, report, told_in)
    mlflow.log(run_id, tags={"data_digest": tables.digest})
    version = mlflow.register(run_id, waiting.bundle, report, describe(report), {"data_digest": tables.digest})
    return waiting.model_copy(update={"run_id": run_id, "version": version})

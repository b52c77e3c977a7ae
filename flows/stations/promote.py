"""Stations 8 and 9: the bundle, its MLflow version, the gate's verdict, and the pointer to the router in service."""

import json
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel

from components.evaluation.gate import Word
from components.release.history import left_by_rollback, read_history, serving
from components.release.mirror import in_service_at, mirror
from components.release.publish import publish, refuse, rollback
from components.release.verdicts import VoidVerdict
from components.release.writing import write_bundle
from components.reports.markdown import describe
from components.reports.page import PAGE, write_page
from components.sources.planted.world import PlantedConfig, generate
from components.tables.store import read_tables
from components.tracking.abandoned import close_abandoned
from flows.platform import paths
from flows.platform.arrays import load_arrays, load_named
from flows.platform.references import DataRef
from flows.platform.settings import settings
from flows.platform.tracking import maker_alive, registry, run_url
from flows.stations.board import BoardRef, read_board
from flows.stations.identity import keep_tasks
from flows.stations.ingest import pages_of
from flows.stations.run_figures import show
from flows.stations.verdicts import remember_verdict, require_verdict, waiting_bundle
from pointsman.bundle.evidence import Evidence
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.bundle.reading import read_bundle
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


class Verdicted(BaseModel, frozen=True):
    """How a retrain ended."""

    verdict: Word
    reasons: tuple[str, ...]
    router_id: str
    bundle: Path
    report: Path
    run_id: str
    run_url: str
    """The run in MLflow, for a browser."""
    version: str


def page_folder(router_id: str) -> Path:
    """Where a router's report is."""
    return paths.reports() / router_id


def golden_prompts() -> list[str]:
    """What a bundle decides again when it is loaded: simulated prompts, for what users asked doesn't travel."""
    return generate(PlantedConfig(prompts=_GOLDEN)).tables.prompts["prompt"].to_list()


@task(name="register: bundle", cache_policy=NO_CACHE)
def bundle(
    board_ref: BoardRef,
    encoder: DataRef,
    discovered: DataRef,
    combined: DataRef,
    operated: DataRef,
    judged: DataRef,
    simulated: bool,
    seed: int,
) -> Challenger:
    """The router as a content-addressed folder, with decisions it must make again when it is loaded."""
    tables, splits = board_ref.tables, board_ref.splits
    frames = read_tables(tables.path)
    model = RouterModel.from_arrays(load_named(combined.file("router.npz")))
    feature_map = load_arrays(FeatureMap, board_ref.features.file("feature_map.npz"))
    tasks = json.loads(discovered.file("tasks.json").read_text())
    labels = tuple(task["label"] for task in tasks)
    evidence = load_arrays(Evidence, operated.file("evidence.npz"))
    declared = json.loads(operated.file("operating.json").read_text())
    board = read_board(board_ref)
    names = board.models
    known = frames.candidates.filter(frames.candidates["model"].is_in(names))
    router = Router.from_parts(model, feature_map, Encoder.load(encoder.path), names, labels, evidence)
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
        data_digests={"tables": tables.digest, "splits": splits.digest}
        | ({"simulated": tables.digest} if simulated else {}),
        seeds={"retrain": seed},
        code_version=installed("pointsman"),
        library_versions={name: installed(name) for name in _LIBRARIES},
    )
    report: dict[str, Any] = json.loads(judged.file("report.json").read_text())
    golden = router.golden(golden_prompts())
    folder = paths.bundles()
    router_id = write_bundle(folder, model, feature_map, encoder.path, provenance, report, golden, evidence)
    keep_tasks(router_id, discovered)
    remember_verdict(router_id, report)
    return Challenger(bundle=folder / router_id, router_id=router_id)


@task(name="register", cache_policy=NO_CACHE)
def register(
    waiting: Challenger,
    run_id: str,
    judged: DataRef,
    discovered: DataRef,
    classified: DataRef,
    specialised: DataRef,
    combined: DataRef,
    compared: dict[str, DataRef],
    charted: DataRef,
    validated: DataRef,
    tables: DataRef,
) -> Challenger:
    """The retrain's MLflow run, with a child for all that was tried, and a model version called challenger."""
    report: dict[str, Any] = json.loads(judged.file("report.json").read_text())
    mlflow = registry()
    mlflow.rename(run_id, f"retrain-{waiting.router_id[:8]}")
    mlflow.log(run_id, tags={"mlflow.note.content": describe(report)})
    rows = read_tables(tables.path).prompts.height
    mlflow.log_dataset(run_id, "tables", tables.digest, str(tables.path), rows)
    for number, trial in enumerate(json.loads(discovered.file("discovery.json").read_text())["trials"]):
        child = mlflow.start_run(f"partition-{number}-{trial['method']}", parent=run_id, params=trial["parameters"])
        mlflow.log(child, metrics={k: v for k, v in trial.items() if isinstance(v, int | float)})
        mlflow.finish(child)
    shown = report | {"map": json.loads(charted.file("map.json").read_text())} | pages_of(tables, validated)
    mlflow.log_folder(run_id, write_page(shown, page_folder(waiting.router_id)).parent, "report")
    mlflow.log_folder(run_id, judged.path, "evaluation")
    mlflow.log_folder(run_id, validated.path, "validation")
    stages = {"classifier": classified, "experts": specialised, "router": combined}
    told_in = {stage: ref.file(f"{stage}.json") for stage, ref in stages.items()}
    told_in["implicit_classifier"] = classified.file("implicit_classifier.json")
    told_in["implicit_quality"] = compared["implicit"].file("told.json")
    show(mlflow, run_id, report, told_in)
    mlflow.log(run_id, tags={"data_digest": tables.digest})
    version = mlflow.register(run_id, waiting.bundle, report, describe(report), {"data_digest": tables.digest})
    return waiting.model_copy(update={"run_id": run_id, "version": version})


@task(name="promote", cache_policy=NO_CACHE)
def promote(challenger: Challenger) -> Verdicted:
    """Publishes a challenger that passed the gate, records one that didn't; either way the history knows."""
    return conclude(challenger)


def conclude(challenger: Challenger, reason: str = "") -> Verdicted:
    """Carries out the verdict that a bundle's report holds."""
    report = dict(read_bundle(challenger.bundle).report)
    gate, mlflow = report["gate"], registry()
    failed = [_reason(one) for one in gate["criteria"] if not one["passed"]]
    verdict: Word = gate["verdict"]
    if verdict == "promoted":
        try:
            require_verdict(challenger.bundle)
        except VoidVerdict as void:
            verdict, failed = "refused", [str(void)]
    if verdict == "promoted":
        passed = reason or "every criterion passed"
        publish(challenger.bundle, paths.published(), reasons=[passed], registry=mlflow)
    else:
        refuse(paths.published(), challenger.router_id, failed, verdict=verdict)
    announce()
    mlflow.tag(challenger.version, {"verdict": verdict})
    mlflow.log(challenger.run_id, tags={"verdict": verdict})
    return Verdicted(
        verdict=verdict,
        reasons=tuple(failed),
        router_id=challenger.router_id,
        bundle=challenger.bundle if failed else paths.published() / challenger.router_id,
        report=page_folder(challenger.router_id) / PAGE,
        run_id=challenger.run_id,
        run_url=run_url(mlflow, challenger.run_id),
        version=challenger.version,
    )


def _reason(criterion: dict[str, Any]) -> str:
    """A failed condition: what was found, and what to do."""
    found = criterion.get("words") or f"{criterion['figure']}, threshold {criterion['threshold']}"
    return f"{criterion['name']}: {found}. {criterion.get('advice', '')}".rstrip()


def promote_waiting(reason: str = "", force: bool = False) -> Verdicted:
    """Concludes the registry's challenger; `doctor` repairs what a crash may have left.

    A router that was in service and was left by a rollback isn't put back: `rollback` names it if that is wanted.

    Raises:
        ValueError: no challenger is registered, its name is no router's, it wasn't judged here, or it was left by a
            rollback.
    """
    mlflow = registry()
    close_abandoned(mlflow, maker_alive)
    waiting = mlflow.challenger()
    if waiting is None:
        raise ValueError("no challenger is registered: run `pointsman retrain` first")
    bundle_folder = waiting_bundle(waiting.router_id)
    if not force and left_by_rollback(read_history(paths.published()), waiting.router_id):
        raise ValueError(
            f"router {waiting.router_id[:12]} was in service and was left by a rollback: it isn't promoted again. "
            f"To put it back: pointsman rollback --to {waiting.router_id[:12]}"
        )
    return conclude(
        Challenger(bundle=bundle_folder, router_id=waiting.router_id, run_id=waiting.run_id, version=waiting.version),
        reason,
    )


def roll_back(to: str | None, reason: str = "") -> str:
    """Returns to an earlier router; its id.

    Where the last rollback didn't reach the URL that gateways read, that is finished first: nothing goes back twice.
    """
    if to is None and (unfinished := _unannounced()):
        to = unfinished
    reasons = [reason] if reason else []
    target = rollback(paths.published(), to, reasons=reasons, registry=registry())
    announce()
    return target


def _unannounced() -> str | None:
    """The router that the last rollback returned to, where gateways that read the URL don't have it yet."""
    url, last = settings().publish_url, serving(read_history(paths.published()))
    if url is None or last is None or last.verdict != "rolled_back":
        return None
    return None if in_service_at(url) == last.router_id else last.router_id


def announce() -> None:
    """Brings the URL that POINTSMAN_PUBLISH_URL names up to what is in service here."""
    if url := settings().publish_url:
        mirror(paths.published(), url)

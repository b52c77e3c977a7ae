"""A router that was changed, not trained again: bundle, verdict, MLflow and pointer as after a retrain."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.evaluation.criteria import Criterion
from components.evaluation.gate import Word
from components.release.writing import write_bundle
from components.reports.changed import sentence
from components.reports.page import write_page
from components.reports.report import plain
from components.tracking.run_figures import numbers
from flows.platform import paths
from flows.platform.tracking import registry, tracked
from flows.stations.drift_reference import reference_path
from flows.stations.promote import Verdicted, conclude
from flows.stations.register import Challenger, golden_prompts, page_folder
from flows.stations.verdicts import record_verdict
from pointsman.bundle.evidence import Evidence
from pointsman.bundle.manifest import Provenance
from pointsman.bundle.reading import Bundle
from pointsman.durable import write_whole
from pointsman.model.router_model import RouterModel
from pointsman.router import Router
from pointsman.text.spec import SPECIFICATION


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Changed:
    """A router as it is to be, and what the gate says of the change."""

    before: Bundle
    model: RouterModel
    provenance: Provenance
    evidence: Evidence
    verdict: Word
    criterion: Criterion
    figures: Mapping[str, Any]
    """What was changed and what it is worth, for the report and MLflow; intervals as [mean, low, high]."""


def conclude_change(changed: Changed, name: str, parameters: Mapping[str, Any]) -> Verdicted:
    """Writes the bundle, records its verdict, registers it, and publishes or refuses.

    Args:
        changed: the router and its verdict.
        name: of the MLflow run, such as onboard.
        parameters: for MLflow; no key is among them.
    """
    before = changed.before.manifest.router_id
    report = plain(_report(changed))
    folder = paths.bundles() / _write(changed, report)
    router_id = folder.name
    _keep_beside(before, router_id)
    record_verdict(router_id, report)
    page = write_page(report, page_folder(router_id))
    with tracked(parameters) as run_id:
        mlflow = registry()
        mlflow.rename(run_id, f"{name}-{router_id[:8]}")
        summary = sentence(report["change"])
        tags = {"mlflow.note.content": summary, "from": before}
        mlflow.log(run_id, metrics=numbers(_flat(changed.figures)), tags=tags)
        mlflow.log_folder(run_id, page.parent, "report")
        # the figures of the evaluation are those of the router before the change: the run that made it has them
        version = mlflow.register(run_id, folder, {"gate": report["gate"]}, summary, {"from": before})
        return conclude(
            Challenger(bundle=folder, router_id=router_id, run_id=run_id, version=version), changed.criterion.words
        )


def _report(changed: Changed) -> dict[str, Any]:
    """The evaluation of the router before, with the change and its verdict."""
    before = changed.before.manifest.router_id
    return dict(changed.before.report) | {
        "gate": {"verdict": changed.verdict, "criteria": [changed.criterion.as_dict()], "anchor_looks": 0},
        "change": {"from": before, "verdict": changed.verdict, **changed.figures},
        "judged_against": {"in_service": before, "champion": None, "first_champion": None},
    }


def _write(changed: Changed, report: Mapping[str, Any]) -> str:
    bundle, provenance = changed.before, changed.provenance
    names = [candidate.model for candidate in provenance.candidates]
    encoder = bundle.encoder()
    router = Router(
        changed.model, bundle.feature_map, encoder, names, tasks=provenance.tasks, evidence=changed.evidence
    )
    golden = router.golden(golden_prompts())
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / SPECIFICATION).write_text(json.dumps(bundle.manifest.encoder.to_document()))
        for name, content in bundle.encoder_files.items():
            (folder / name).write_bytes(content)
        return write_bundle(
            paths.bundles(),
            changed.model,
            bundle.feature_map,
            folder,
            provenance,
            report,
            golden,
            changed.evidence,
        )


def _keep_beside(before: str, router_id: str) -> None:
    """What a retrain keeps of a router outside its bundle: tasks and trunk are the same."""
    if (reference := reference_path(before)).is_file():
        write_whole(reference_path(router_id), lambda aside: shutil.copyfile(reference, aside))
    if (paths.tasks() / before).is_dir():
        shutil.copytree(paths.tasks() / before, paths.tasks() / router_id, dirs_exist_ok=True)


def _flat(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Intervals as three figures."""
    ends = {
        f"{name}_{end}": value
        for name, interval in figures.items()
        if isinstance(interval, list)
        for end, value in zip(("low", "high"), interval[1:], strict=True)
    }
    return {**figures, **ends}

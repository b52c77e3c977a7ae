"""A newcomer into the router in service, or a candidate out of it: fitted, judged, published in under a minute."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.evaluation.criteria import Criterion
from components.evaluation.gate import Word
from components.learning.newcomer import (
    NewcomerProbes,
    add_candidate,
    remove_candidate,
    with_candidate,
    without_candidate,
)
from components.learning.onboarding import OnboardConfig, Onboarded, judge_newcomer
from components.release.publish import publish, refuse
from components.release.writing import write_bundle
from components.reports.page import write_page
from components.tables.errors import TableError
from components.tables.store import Tables, read_tables
from flows.platform import paths
from flows.stations.drift_reference import reference_path
from flows.stations.promote import announce, page_folder
from pointsman.bundle.evidence import Evidence
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import Bundle, read_bundle
from pointsman.durable import write_whole
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import decide, parse
from pointsman.router import Router
from pointsman.text.spec import SPECIFICATION

MOST = 1500
"""Graded answers that are looked at, drawn from more: onboarding takes seconds, a retrain may read all."""
FEWEST = 20
"""Graded answers of a newcomer below which nothing is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How an onboarding ended."""

    verdict: Word
    reasons: tuple[str, ...]
    router_id: str
    bundle: Path
    report: Path
    judged: Onboarded | None
    """None where a candidate was taken out."""


def onboard(data: Path, name: str, config: OnboardConfig, seed: int = 0) -> Change:
    """A candidate added to the router in service from its graded outcomes.

    Raises:
        TableError: the tables lack graded outcomes of it.
        BundleError: no router is in service.
        ValueError: it is a candidate already.
    """
    bundle = read_bundle(resolve(paths.published()))
    names = [candidate.model for candidate in bundle.manifest.provenance.candidates]
    if name in names:
        raise ValueError(f"{name} is a candidate of the router in service already: retrain to renew it")
    tables = read_tables(data)
    probes, prompts, embedding_KD, tokens_K = probes_of(bundle, tables, name, names, data)
    policy = parse(bundle.manifest.provenance.operating_policy)
    evidence = with_candidate(bundle.evidence, bundle.model.tasks(probes.features_KF), prompts)

    def choose(model: RouterModel, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        prediction = model.predict(probes.features_KF[rows], embedding_KD[rows], tokens_K[rows])
        candidates = prediction.quality_NM.shape[1]
        known = evidence if candidates > len(names) else bundle.evidence
        prediction = replace(prediction, supported_NM=known.supported(prediction.task_N))
        models = (*names, name)[:candidates]
        return decide(prediction, policy, fallback=int(model.fallback), models=models).candidate_N

    judged = judge_newcomer(bundle.model, probes, choose, config, seed)
    known = tables.candidates.filter(pl.col("model") == name)
    row: dict[str, Any] = known.row(0, named=True) if known.height else {}
    newcomer = Candidate(
        model=name,
        provider=row.get("provider") or "",
        input_usd_per_mtok=row.get("input_usd_per_mtok"),
        output_usd_per_mtok=row.get("output_usd_per_mtok"),
    )
    provenance = bundle.manifest.provenance
    return _conclude(
        bundle,
        add_candidate(bundle.model, probes),
        replace(provenance, candidates=(*provenance.candidates, newcomer)),
        evidence,
        verdict=judged.verdict(config),
        criterion=judged.criterion(config),
        told={"added": name, "gain": judged.gain.mean, "share": judged.share}
        | {"probes": judged.gain.count, "quality": judged.mean},
        judged=judged,
    )


def retire(name: str) -> Change:
    """A candidate taken out of the router in service, because somebody says so: no gate asks.

    Raises:
        BundleError: no router is in service.
        ValueError: it is no candidate, or the only one.
    """
    bundle = read_bundle(resolve(paths.published()))
    provenance = bundle.manifest.provenance
    names = [candidate.model for candidate in provenance.candidates]
    if name not in names:
        raise ValueError(f"{name} is no candidate of the router in service: {', '.join(names)}")
    column = names.index(name)
    left = tuple(candidate for candidate in provenance.candidates if candidate.model != name)
    return _conclude(
        bundle,
        remove_candidate(bundle.model, column),
        replace(provenance, candidates=left),
        without_candidate(bundle.evidence, column),
        verdict="promoted",
        criterion=Criterion(
            name="retired on request", words=f"{name} was taken out on request", figure=1.0, threshold=1.0, passed=True
        ),
        told={"retired": name},
        judged=None,
    )


def probes_of(
    bundle: Bundle, tables: Tables, name: str, incumbents: list[str], data: Path
) -> tuple[NewcomerProbes, list[str], NDArray[np.float32], NDArray[Any]]:
    """Graded answers of a newcomer with their prompts, and the prompts' embeddings and token counts.

    Raises:
        TableError: too few of its outcomes are graded.
    """
    own = tables.outcomes.filter((pl.col("model") == name) & pl.col("quality").is_not_null())
    own = own.join(tables.prompts.select("prompt_id", "prompt"), on="prompt_id", how="inner", maintain_order="left")
    if own.height < FEWEST:
        asked = tables.outcomes.filter(pl.col("model") == name).height
        raise TableError(
            f"{data}: {own.height} graded outcomes of {name} ({asked} answered), an onboarding needs {FEWEST}: "
            "buy answers with --url and --budget, and grade them"
        )
    own = own.sample(min(MOST, own.height), seed=0)
    encoder = bundle.encoder()
    tokens = encoder.tokenize(own["prompt"].to_list())
    embedding_KD = encoder.encode_tokens(tokens)
    rest = tables.outcomes.filter(pl.col("model").is_in(incumbents)).select("prompt_id", "model", "quality")
    place = own.select("prompt_id").with_row_index("row")
    cells = rest.join(place, on="prompt_id").drop_nulls("quality")
    others_KM = np.full((own.height, len(incumbents)), np.nan)
    columns = cells["model"].replace_strict(incumbents, range(len(incumbents)), return_dtype=pl.Int64)
    others_KM[cells["row"].to_numpy(), columns.to_numpy()] = cells["quality"].to_numpy()
    price = {row["model"]: row for row in tables.candidates.iter_rows(named=True)}.get(name, {})

    def column(values: str) -> NDArray[np.float64]:
        return own[values].cast(pl.Float64).fill_null(np.nan).to_numpy()

    paid = {side: price.get(f"{side}_usd_per_mtok") for side in ("input", "output")}
    probes = NewcomerProbes(
        features_KF=bundle.feature_map.transform(embedding_KD, tokens),
        quality_K=own["quality"].to_numpy(),
        others_KM=others_KM,
        weight_K=1 / own["propensity"].fill_null(1.0).to_numpy(),
        output_tokens_K=column("output_tokens"),
        cost_usd_K=column("cost_usd"),
        **{f"{side}_usd_per_mtok": np.nan if usd is None else float(usd) for side, usd in paid.items()},
    )
    return probes, own["prompt"].to_list(), embedding_KD, tokens.length_N


def _conclude(
    bundle: Bundle,
    model: RouterModel,
    provenance: Provenance,
    evidence: Evidence,
    *,
    verdict: Word,
    criterion: Criterion,
    told: dict[str, Any],
    judged: Onboarded | None,
) -> Change:
    """Writes the bundle with its verdict, keeps what belongs to a router beside it, and publishes or refuses."""
    report = dict(bundle.report) | {
        "gate": {"verdict": verdict, "criteria": [criterion.as_dict()], "anchor_looks": 0},
        "change": told | {"from": bundle.manifest.router_id, "verdict": verdict},
    }
    names = [candidate.model for candidate in provenance.candidates]
    router = Router.from_parts(model, bundle.feature_map, bundle.encoder(), names, provenance.tasks, evidence)
    golden = router.golden([row["prompt"] for row in bundle.golden])
    with TemporaryDirectory() as scratch:
        encoder = _encoder_folder(bundle, Path(scratch))
        router_id = write_bundle(
            paths.bundles(), model, bundle.feature_map, encoder, provenance, report, golden, evidence
        )
    folder = paths.bundles() / router_id
    before = bundle.manifest.router_id
    if (reference := reference_path(before)).is_file():
        write_whole(reference_path(router_id), lambda aside: shutil.copyfile(reference, aside))
    if (paths.tasks() / before).is_dir():
        shutil.copytree(paths.tasks() / before, paths.tasks() / router_id, dirs_exist_ok=True)
    page = write_page(report, page_folder(router_id))
    reasons = (f"{criterion.name}: {criterion.words}. {criterion.advice}".rstrip(". "),)
    if verdict == "promoted":
        publish(folder, paths.published(), reasons=reasons, registry=_registered(router_id, folder, report, told))
        announce()
        folder = paths.published() / router_id
    else:
        refuse(paths.published(), router_id, reasons, verdict=verdict)
    return Change(verdict=verdict, reasons=reasons, router_id=router_id, bundle=folder, report=page, judged=judged)


def _encoder_folder(bundle: Bundle, folder: Path) -> Path:
    """The bundle's encoder as a folder of its own."""
    (folder / SPECIFICATION).write_text(json.dumps(bundle.manifest.encoder.to_document()))
    for name, content in bundle.encoder_files.items():
        (folder / name).write_bytes(content)
    return folder


def _registered(router_id: str, folder: Path, report: dict[str, Any], told: dict[str, Any]) -> Any:
    """MLflow, with the change as a run and its router as a version."""
    from flows.platform.tracking import registry  # noqa: PLC0415  # MLflow takes a second, and only a promotion needs it

    mlflow = registry()
    run_id = mlflow.start_run(f"onboard-{router_id[:8]}", params=told)
    mlflow.register(run_id, folder, report, f"Router {router_id[:12]}: {told}", {"from": str(told.get("added", ""))})
    mlflow.finish(run_id)
    return mlflow

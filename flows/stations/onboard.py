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

from components.learning.newcomer import NewcomerProbes, add_candidate, remove_candidate
from components.learning.onboarding import OnboardConfig, Onboarded, judge_newcomer
from components.release.publish import publish, refuse
from components.release.writing import write_bundle
from components.reports.page import write_page
from components.tables.errors import TableError
from components.tables.store import Tables, read_tables
from flows.platform.settings import settings
from flows.stations.promote import announce, page_folder
from pointsman.bundle.manifest import Candidate, Provenance
from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import Bundle, read_bundle
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

    verdict: str
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
    bundle = read_bundle(resolve(settings().published))
    names = [candidate.model for candidate in bundle.manifest.provenance.candidates]
    if name in names:
        raise ValueError(f"{name} is a candidate of the router in service already: retrain to renew it")
    tables = read_tables(data)
    probes, embedding_KD, tokens_K = probes_of(bundle, tables, name, names, data)
    policy = parse(operating_policy(bundle))

    def choose(model: RouterModel, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        prediction = model.predict(probes.features_KF[rows], embedding_KD[rows], tokens_K[rows])
        return decide(prediction, policy, fallback=int(model.fallback), models=(*names, name)).candidate_N

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
        verdict=judged.verdict(config),
        figure=judged.low,
        threshold=-config.margin,
        told={"added": name, "gain": [judged.gain, judged.low, judged.high], "share": judged.share}
        | {"probes": judged.probes, "quality": judged.mean},
        judged=judged,
    )


def retire(name: str) -> Change:
    """A candidate taken out of the router in service, because somebody says so: no gate asks.

    Raises:
        BundleError: no router is in service.
        ValueError: it is no candidate, or the only one.
    """
    bundle = read_bundle(resolve(settings().published))
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
        verdict="promoted",
        figure=1.0,
        threshold=1.0,
        told={"retired": name},
        judged=None,
    )


def operating_policy(bundle: Bundle) -> str:
    """The policy that the bundle declares; best where it declares none."""
    return str(getattr(bundle.manifest.provenance, "policy", "") or "best")


def probes_of(
    bundle: Bundle, tables: Tables, name: str, incumbents: list[str], data: Path
) -> tuple[NewcomerProbes, NDArray[np.float32], NDArray[Any]]:
    """Graded answers of a newcomer with the router's features, embeddings and token counts of their prompts.

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
    return probes, embedding_KD, tokens.length_N


def _conclude(
    bundle: Bundle,
    model: RouterModel,
    provenance: Provenance,
    *,
    verdict: str,
    figure: float,
    threshold: float,
    told: dict[str, Any],
    judged: Onboarded | None,
) -> Change:
    """Writes the bundle with its verdict, keeps what belongs to a router beside it, and publishes or refuses."""
    passed = verdict == "promoted"
    name = "retired on request" if judged is None else "not worse than the router in service (interval low)"
    criterion = {"name": name, "figure": figure, "threshold": threshold, "passed": passed}
    report = dict(bundle.report) | {
        "gate": {"verdict": verdict, "criteria": [criterion]},
        "change": told | {"from": bundle.manifest.router_id, "verdict": verdict},
    }
    names = [candidate.model for candidate in provenance.candidates]
    router = Router.from_parts(model, bundle.feature_map, bundle.encoder(), names, provenance.tasks)
    golden = router.golden([row["prompt"] for row in bundle.golden])
    here = settings()
    with TemporaryDirectory() as scratch:
        encoder = _encoder_folder(bundle, Path(scratch))
        router_id = write_bundle(here.data / "bundles", model, bundle.feature_map, encoder, provenance, report, golden)
    folder = here.data / "bundles" / router_id
    for kept in ("drift", "tasks"):
        source = here.data / kept / bundle.manifest.router_id
        if source.is_dir():
            shutil.copytree(source, here.data / kept / router_id, dirs_exist_ok=True)
    page = write_page(report, page_folder(router_id))
    reasons = (f"{name}: {figure:.4f}, threshold {threshold:.4f}",)
    if passed:
        publish(folder, here.published, reasons=reasons, registry=_registered(router_id, folder, report, told))
        announce()
        folder = here.published / router_id
    else:
        refuse(here.published, router_id, reasons)
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

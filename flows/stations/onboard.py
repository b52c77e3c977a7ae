"""A newcomer into the router in service, or a candidate out of it: fitted, judged, published in under a minute."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.evaluation.criteria import Criterion
from components.learning.newcomer import (
    NewcomerProbes,
    add_candidate,
    remove_candidate,
)
from components.learning.newcomer_evidence import with_candidate, without_candidate
from components.learning.onboarding import OnboardConfig, Onboarded, judge_newcomer
from components.tables.errors import TableError
from components.tables.likeness import join_groups, near_duplicate_groups
from components.tables.splits import SplitConfig
from components.tables.store import Tables, read_tables
from flows.platform import paths
from flows.stations.changed import Changed, conclude_change
from flows.stations.newcomer import router_without
from flows.stations.promote import Verdicted
from pointsman.bundle.manifest import Candidate
from pointsman.bundle.pointer import resolve
from pointsman.bundle.reading import Bundle, read_bundle
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import decide, parse
from pointsman.text.lengths import prompt_tokens

MOST = 1500
"""Graded answers that are looked at, drawn from more: onboarding takes seconds, a retrain may read all."""
FEWEST = 20
"""Graded answers of a newcomer below which nothing is fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How an onboarding ended."""

    verdicted: Verdicted
    criterion: Criterion
    judged: Onboarded | None
    """None where a candidate was taken out."""


def onboard(data: Path, name: str, config: OnboardConfig, seed: int = 0) -> Change:
    """A candidate added to the router in service from its graded outcomes.

    Raises:
        TableError: the tables lack graded outcomes of it.
        BundleError: no router is in service.
        ValueError: it is a candidate already.
    """
    bundle = router_without(name)
    provenance = bundle.manifest.provenance
    names = [candidate.model for candidate in provenance.candidates]
    tables = read_tables(data)
    probes, prompts, embedding_KD, tokens_K = probes_of(bundle, tables, name, names, data)
    policy = parse(provenance.operating_policy)
    evidence = with_candidate(bundle.evidence, bundle.model.tasks(probes.features_KF), prompts)

    def choose(model: RouterModel, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        prediction = model.predict(probes.features_KF[rows], embedding_KD[rows], tokens_K[rows])
        candidates = prediction.quality_NM.shape[1]
        known = evidence if candidates > len(names) else bundle.evidence
        prediction = replace(prediction, supported_NM=known.supported(prediction.task_N))
        models = (*names, name)[:candidates]
        return decide(prediction, policy, fallback=int(model.fallback), models=models).candidate_N

    judged = judge_newcomer(bundle.model, probes, choose, config, seed)
    criterion, gain = judged.criterion(config), judged.gain.interval(config.level)
    changed = Changed(
        before=bundle,
        model=add_candidate(bundle.model, probes),
        provenance=replace(provenance, candidates=(*provenance.candidates, _candidate(tables, name))),
        evidence=evidence,
        verdict=judged.verdict(config),
        criterion=criterion,
        figures={
            "added": name,
            "gain": gain.as_list(),
            "share": judged.share,
            "probes": judged.gain.count,
            "quality": judged.mean,
            "graded_by": _graders(tables, name),
        },
    )
    run = {"command": "onboard", "data": str(data), "model": name, "seed": seed, **asdict(config)}
    return Change(verdicted=conclude_change(changed, "onboard", run), criterion=criterion, judged=judged)


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
    criterion = Criterion(
        name="retired on request", words=f"{name} was taken out on request", figure=1.0, threshold=1.0, passed=True
    )
    changed = Changed(
        before=bundle,
        model=remove_candidate(bundle.model, column),
        provenance=replace(provenance, candidates=tuple(one for one in provenance.candidates if one.model != name)),
        evidence=without_candidate(bundle.evidence, column),
        verdict="promoted",
        criterion=criterion,
        figures={"retired": name},
    )
    run = {"command": "onboard --retire", "model": name}
    return Change(verdicted=conclude_change(changed, "retire", run), criterion=criterion, judged=None)


def _candidate(tables: Tables, name: str) -> Candidate:
    known = tables.candidates.filter(pl.col("model") == name)
    row: dict[str, Any] = known.row(0, named=True) if known.height else {}
    capabilities = row.get("capabilities")
    return Candidate(
        model=name,
        provider=row.get("provider") or "",
        input_usd_per_mtok=row.get("input_usd_per_mtok"),
        output_usd_per_mtok=row.get("output_usd_per_mtok"),
        context_window=row.get("context_window"),
        capabilities=None if capabilities is None else tuple(sorted(capabilities)),
    )


def _graders(tables: Tables, name: str) -> str | None:
    """Who graded the newcomer's answers, the most frequent first."""
    named = tables.outcomes.filter(pl.col("model") == name).drop_nulls("graded_by")["graded_by"]
    return ", ".join(named.value_counts(sort=True)["graded_by"].head(3)) or None


def probes_of(
    bundle: Bundle, tables: Tables, name: str, incumbents: list[str], data: Path
) -> tuple[NewcomerProbes, list[str], NDArray[np.float32], NDArray[Any]]:
    """Graded answers of a newcomer with their prompts, and the prompts' embeddings and token counts.

    Raises:
        TableError: too few of its outcomes are graded.
    """
    own = tables.outcomes.filter((pl.col("model") == name) & pl.col("quality").is_not_null())
    asked_of = tables.prompts.select("prompt_id", "prompt", "conversation_id")
    own = own.join(asked_of, on="prompt_id", how="inner", maintain_order="left")
    if own.height < FEWEST:
        asked = tables.outcomes.filter(pl.col("model") == name).height
        raise TableError(
            f"{data}: {own.height} graded outcomes of {name} ({asked} answered), an onboarding needs {FEWEST}: "
            "buy answers with --url and --budget, and grade them"
        )
    own = own.sample(min(MOST, own.height), seed=0)
    encoder = bundle.encoder()
    texts = own["prompt"].to_list()
    tokens = encoder.tokenize(texts)
    tokens_K = prompt_tokens(tokens.length_N, texts)
    embedding_KD = encoder.encode_tokens(tokens)
    alike = SplitConfig(seed=0)
    group_K = near_duplicate_groups(own["prompt"], embedding_KD, alike.near_duplicate_cosine, alike.largest_group)
    rest = tables.outcomes.filter(pl.col("model").is_in(incumbents)).select("prompt_id", "model", "quality")
    place = own.select("prompt_id").with_row_index("row")
    cells = rest.join(place, on="prompt_id").drop_nulls("quality")
    others_KM = np.full((own.height, len(incumbents)), np.nan)
    columns = cells["model"].replace_strict(incumbents, range(len(incumbents)), return_dtype=pl.Int64)
    others_KM[cells["row"].to_numpy(), columns.to_numpy()] = cells["quality"].to_numpy()
    price = {row["model"]: row for row in tables.candidates.iter_rows(named=True)}.get(name, {})

    def column(values: str) -> NDArray[np.float64]:
        return own[values].cast(pl.Float64).fill_null(np.nan).to_numpy()

    logged_K = column("input_tokens")
    paid = {side: price.get(f"{side}_usd_per_mtok") for side in ("input", "output")}
    probes = NewcomerProbes(
        features_KF=bundle.feature_map.transform(embedding_KD, tokens),
        quality_K=own["quality"].to_numpy(),
        others_KM=others_KM,
        weight_K=1 / own["propensity"].fill_null(1.0).to_numpy(),
        input_tokens_K=np.where(np.isnan(logged_K), tokens_K, logged_K),
        output_tokens_K=column("output_tokens"),
        cost_usd_K=column("cost_usd"),
        group_K=join_groups(group_K, own["conversation_id"]),
        **{f"{side}_usd_per_mtok": np.nan if usd is None else float(usd) for side, usd in paid.items()},
    )
    return probes, texts, embedding_KD, tokens_K

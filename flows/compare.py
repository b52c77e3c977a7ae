"""Every method on every block: several splits, tables and figures, resumable split by split."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, Field

from components.baselines.grids import GRIDS
from components.embeddings.folders import Precision
from components.learning.two_stage import TwoStageConfig
from components.reports.compare_figures import reliability
from components.reports.comparison import block_report
from components.reports.comparison_page import DATA, PAGE, headline, write_comparison
from components.tables.board import load_board
from components.tables.quarantine import QuarantineConfig
from components.tracking.run_figures import flat
from flows.platform import paths
from flows.platform.arrays import load_named
from flows.platform.caching import cached_task
from flows.platform.dead import claim_run
from flows.platform.endings import run_name
from flows.platform.fan_out import fan_out, task_runner
from flows.platform.forms import Folder
from flows.platform.progress import Progress
from flows.platform.references import DataRef, keep, reference
from flows.platform.tracking import registry, run_url
from flows.presets import PresetName
from flows.stations.blocks import blocks_in
from flows.stations.comparison import SHIFTED, judge, lay_out, leave_out, leave_out_of, tune
from flows.stations.encoder import embed_widely, export_encoder
from flows.stations.ingest import ingest


class CompareParameters(BaseModel):
    """Settings of this run."""

    data: Folder = Field(title="Folder of logs", description="Folder of logs, or of the standard blocks' folders.")
    preset: PresetName = Field(
        title="Size of the run", default="full", description="'smoke': two splits, and no tuning."
    )
    blocks: list[str] = Field(
        title="Only these blocks", default_factory=list, description="Names of blocks; empty: all."
    )
    splits: int = Field(
        title="Number of splits", default=5, ge=2, le=20, description="Folds; every prompt is judged in one."
    )
    encoder: Precision = Field(
        title="Precision of the encoder", default="int8", description="'fp32' is exact, and four times as large."
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Of splits, networks and bootstrap.")


class Compared(BaseModel, frozen=True):
    """Where the comparison's results are."""

    page: Path
    run_id: str
    run_url: str
    """The run in MLflow, for a browser."""
    headlines: tuple[str, ...]


@cached_task()
def conclude(
    *,
    laid_out: DataRef,
    judged: list[DataRef],
    held_out: DataRef,
    peers_out: dict[str, DataRef],
    chosen: dict[str, int],
    seed: int,
) -> DataRef:
    """A block's report and reliability figure."""
    block = load_board(laid_out.path)
    parts = [load_named(ref.file("predicted.npz")) for ref in judged]
    routers = [load_named(ref.file("router.npz")) for ref in judged]
    row_N = np.concatenate([router["test"] for router in routers])
    split_N = np.repeat(np.arange(len(routers)), [router["test"].size for router in routers])
    named = set.intersection(*(set(part) for part in parts))
    predicted = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name in named}
    calibrated, raw, cost = (np.concatenate([r[key] for r in routers]) for key in ("calibrated", "raw", "cost"))
    report = block_report(
        predicted,
        quality_NM=block.quality_NM[row_N],
        cost_usd_NM=block.cost_usd_NM[row_N],
        benchmark_N=block.benchmark_N[row_N],
        split_N=split_N,
        group_N=block.group_N[row_N],
        calibrated_NM=calibrated,
        raw_NM=raw,
        expected_cost_NM=cost,
        models=list(block.models),
        splits=[json.loads(ref.file("figures.json").read_text()) for ref in judged],
        held_out=json.loads(held_out.file("held_out.json").read_text()),
        peers_held_out={name: json.loads(ref.file("held_out.json").read_text()) for name, ref in peers_out.items()},
        tuned=chosen,
        seed=seed,
    )
    figure = reliability(calibrated, block.quality_NM[row_N], list(block.models), raw_NM=raw) or ""

    def write(folder: Path) -> None:
        (folder / "block.json").write_text(json.dumps(report, allow_nan=False))
        (folder / "reliability.svg").write_text(figure)

    return keep("compare_block", write)


@task(cache_policy=NO_CACHE)
def present(concluded: dict[str, DataRef]) -> DataRef:
    """The page with all blocks, under the reports: what it is drawn of is cached, its looks are not."""
    report = {name: json.loads(ref.file("block.json").read_text()) for name, ref in concluded.items()}
    figures = {name: ref.file("reliability.svg").read_text() for name, ref in concluded.items()}
    digest = hashlib.sha256(json.dumps(report, sort_keys=True).encode()).hexdigest()
    folder = paths.reports() / f"compare-{digest[:12]}"
    return reference(write_comparison(report, folder, figures).parent)


@task(cache_policy=NO_CACHE)
def record(presented: DataRef, parameters: dict[str, Any]) -> str:
    """One MLflow run a comparison, with a child for every block; its id."""
    mlflow, report = registry(), json.loads(presented.file(DATA).read_text())
    with mlflow.run(f"compare-{presented.digest[:8]}", params=flat(parameters), tags={"kind": "compare"}) as run_id:
        for name, block in report.items():
            figures = {
                f"{method}.{key}": value
                for method, score in block["methods"].items()
                for key, value in (("quality", score["quality"][0]), ("aiq", score["aiq"]), ("regret", score["regret"]))
                if value is not None
            }
            mlflow.child(run_id, f"compare-{name}", metrics=figures, tags={"kind": "compare"})
        mlflow.log_folder(run_id, presented.path, "report")
    return run_id


@flow(name="compare", flow_run_name=run_name, log_prints=True, task_runner=task_runner())
def compare(parameters: CompareParameters) -> Compared:
    """Trains every method on every split of every block and judges all on the same prompts."""
    claim_run()
    smoke, seed, splits = parameters.preset == "smoke", parameters.seed, parameters.splits
    found = {block.name: block for block in blocks_in(parameters.data)}
    if unknown := [name for name in parameters.blocks if name not in found]:
        raise ValueError(f"unknown block {unknown[0]!r}; in {parameters.data}: {', '.join(found)}")
    encoder = export_encoder(parameters.encoder)
    concluded = {}
    chosen_blocks = [*(parameters.blocks or found)]
    with Progress("compare", chosen_blocks) as station:
        for name in chosen_blocks:
            station(name)
            tables = ingest(logs=reference(parameters.data / found[name].folder), config=QuarantineConfig())
            embedded = embed_widely(tables=tables, encoder=encoder)
            laid_out = lay_out(tables=tables, embedded=embedded, encoder=encoder, block=found[name])
            block = {"laid_out": laid_out, "encoder": encoder, "seed": seed}
            places = {} if smoke else {method: block | {"method": method, "splits": splits} for method in GRIDS}
            numbers = range(1 if found[name].by_date else 2 if smoke else splits)
            methods_left_out = [] if smoke else SHIFTED
            part = station.parts(len(places) + len(numbers) + 1 + len(methods_left_out))
            chosen = dict.fromkeys(GRIDS, 0) | fan_out(tune, places, part)
            config = TwoStageConfig()
            split = block | {"chosen": chosen, "splits": splits, "config": config}
            judged = fan_out(judge, {f"split {n + 1}": split | {"number": n} for n in numbers}, part)
            part("benchmarks left out")
            held_out = leave_out(laid_out=laid_out, encoder=encoder, seed=seed)
            shifted = {m: block | {"method": m, "place": chosen.get(m)} for m in methods_left_out}
            peers_out = fan_out(leave_out_of, shifted, part)
            concluded[name] = conclude(
                laid_out=laid_out,
                judged=list(judged.values()),
                held_out=held_out,
                peers_out=peers_out,
                chosen=chosen,
                seed=seed,
            )
            station.say(headline(name, json.loads(concluded[name].file("block.json").read_text())))
    presented = present(concluded)
    run_id = record(presented, parameters.model_dump(mode="json"))
    report = json.loads(presented.file(DATA).read_text())
    compared = Compared(
        page=presented.file(PAGE),
        run_id=run_id,
        run_url=run_url(registry(), run_id),
        headlines=tuple(headline(name, block) for name, block in report.items()),
    )
    _note(report, compared)
    return compared


def run_compare(parameters: CompareParameters) -> int:
    """Runs the flow and prints each block's headline and where everything is."""
    compared = compare(parameters)
    print("\n".join(compared.headlines))
    print(f"page:    {compared.page}\ntables:  {compared.page.parent}\nMLflow:  {compared.run_url}")
    return 0


def _note(report: dict[str, Any], compared: Compared) -> None:
    rows = [
        {"block": name, "method": method, "quality": round(score["quality"][0], 4), "regret": round(score["regret"], 4)}
        for name, block in report.items()
        for method, score in block["methods"].items()
    ]
    create_table_artifact(table=rows, key="comparison", description="Every method on every block")
    create_link_artifact(link=compared.run_url, key="compare-mlflow-run", link_text="The comparison in MLflow")

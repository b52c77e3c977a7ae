"""Every method on every block: several splits, tables and figures, resumable split by split."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from prefect import flow, task
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import BaseModel, Field

from components.baselines.grids import GRIDS
from components.baselines.methods import METHODS
from components.baselines.tuning import tuned
from components.embeddings.encoder import Encoder, Tokens
from components.embeddings.export import Precision
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.evaluation.block import common_block
from components.evaluation.folds import grouped_folds
from components.evaluation.held_out import held_out_gains
from components.learning.comparison import Logs, judge_split, learning_order
from components.learning.two_stage import TwoStageConfig
from components.release.refit import QUICK, Known, refitting
from components.reports.compare_figures import reliability
from components.reports.comparison import block_report
from components.reports.comparison_page import DATA, PAGE, headline, write_comparison
from components.reports.report import plain
from components.routing.fit import Observations
from components.tables.matrices import to_matrices
from components.tables.quarantine import QuarantineConfig
from components.tables.splits import near_duplicate_groups
from components.tables.store import read_tables
from components.tasks.assignment import assign
from components.tasks.choice import DiscoveryConfig, choose_partition
from flows.arrays import load_arrays, load_named, save_arrays, save_named
from flows.blocks import Block, blocks_in
from flows.caching import by_content
from flows.fan_out import fan_out, task_runner
from flows.ingest import embed, export_encoder, ingest
from flows.presets import PresetName
from flows.references import DataRef, keep, reference
from flows.settings import settings
from flows.tracking import registry

NEEDS_COSTS = frozenset({"cheapest"})
UNTUNED = ("random", "best_single", "best_per_benchmark", "knn10", "knn100", "kmeans60", "cheapest")


class CompareParameters(BaseModel):
    """What a person can set in the Prefect form."""

    data: Path = Field(description="Folder of logs, or of the standard blocks' folders.")
    preset: PresetName = Field(default="full", description="'smoke': two splits, and no tuning.")
    blocks: list[str] = Field(default_factory=list, description="Names of blocks; empty: all.")
    splits: int = Field(default=5, ge=2, le=20, description="Folds; every prompt is judged in one.")
    encoder: Precision = Field(default="int8", description="'fp32' is exact, and four times as large.")
    seed: int = Field(default=0, ge=0, description="Of splits, networks and bootstrap.")


class Compared(BaseModel, frozen=True):
    """Where the comparison's results are."""

    page: Path
    run_id: str
    run_url: str
    """The run in MLflow, for a browser."""
    headlines: tuple[str, ...]


@task(cache_key_fn=by_content("components.tables"), persist_result=True, result_serializer="json")
def lay_out(tables: DataRef, embedded: DataRef, encoder: DataRef, block: Block) -> DataRef:
    """A block's arrays: prompts on which every one of its candidates has an outcome."""
    frames = read_tables(tables.path)
    matrices = to_matrices(frames)
    rows = np.isin(matrices.benchmark_N, block.benchmarks) if block.benchmarks else np.ones(len(frames.prompts), bool)
    if block.candidates:
        columns = np.array([matrices.models.index(model) for model in block.candidates])
        kept = np.flatnonzero(rows & matrices.observed_NM[:, columns].all(axis=1))
    else:
        whole = common_block(matrices.observed_NM & rows[:, None])
        kept, columns = whole.rows_K, whole.columns_C
    prompts = frames.prompts["prompt"].gather(kept)
    embedding_ND = np.load(embedded.file("embedding.npy"))[kept]
    tokens = Encoder.load(encoder.path).tokenize(prompts.to_list())
    cells = np.ix_(kept, columns)
    arrays = {
        "embedding_ND": embedding_ND,
        "quality_NM": matrices.quality_NM[cells],
        "cost_usd_NM": matrices.cost_usd_NM[cells],
        "output_tokens_NM": matrices.output_tokens_NM[cells],
        "benchmark_N": matrices.benchmark_N[kept],
        "group_N": near_duplicate_groups(prompts, embedding_ND, 0.95, 100),
        "models": np.array(matrices.models)[columns],
        "input_usd_per_mtok_M": matrices.input_usd_per_mtok_M[columns],
        "output_usd_per_mtok_M": matrices.output_usd_per_mtok_M[columns],
    }

    def write(folder: Path) -> None:
        save_named(arrays, folder / "block.npz")
        save_arrays(tokens, folder / "tokens.npz")

    return keep("lay_out", write)


@task(
    cache_key_fn=by_content("components.baselines", "components.embeddings", "components.evaluation"),
    persist_result=True,
    result_serializer="json",
    task_run_name="tune-{method}",
)
def tune(laid_out: DataRef, encoder: DataRef, method: str, splits: int, seed: int) -> int:
    """A method's best place in its grid, on validation prompts of the first split."""
    learn_L, _ = _split(laid_out, splits, 0, seed)
    logs = _logs(laid_out, encoder, learn_L)
    order_L = learning_order(learn_L, seed)
    validation_K, train_K = np.split(order_L, [order_L.size // 8])
    return tuned(GRIDS[method], logs.training_set(train_K), logs.training_set(validation_K), seed).chosen


@task(
    cache_key_fn=by_content("components.learning", "components.embeddings"),
    persist_result=True,
    result_serializer="json",
    task_run_name="split-{number}",
)
def judge(
    laid_out: DataRef,
    encoder: DataRef,
    chosen: dict[str, int],
    splits: int,
    number: int,
    config: TwoStageConfig,
    seed: int,
) -> DataRef:
    """What every method, trained on the other prompts, says of one split's."""
    learn_L, test_K = _split(laid_out, splits, number, seed)
    logs = _logs(laid_out, encoder, learn_L)
    priced = bool(np.isfinite(logs.seen.cost_usd_NM).any())
    fits = {name: METHODS[name] for name in UNTUNED if priced or name not in NEEDS_COSTS}
    fits |= {name: GRIDS[name][place] for name, place in chosen.items()}
    told = judge_split(logs, learn_L, test_K, fits, DiscoveryConfig(), config, seed + number)

    def write(folder: Path) -> None:
        save_named(told.predicted, folder / "predicted.npz")
        parts = {"calibrated": told.calibrated_KM, "raw": told.raw_KM, "cost": told.expected_cost_KM}
        save_named({**parts, "test": test_K}, folder / "router.npz")
        (folder / "figures.json").write_text(json.dumps(plain(told.figures)))

    return keep("judge", write)


@task(
    cache_key_fn=by_content("components.learning", "components.release"), persist_result=True, result_serializer="json"
)
def leave_out(laid_out: DataRef, encoder: DataRef, seed: int) -> DataRef:
    """The router's gain on each benchmark that it wasn't trained on."""
    everything = np.arange(load_named(laid_out.file("block.npz"))["benchmark_N"].size)
    logs = _logs(laid_out, encoder, everything)
    order_L = learning_order(everything, seed)
    validation_K, train_K = np.split(order_L, [order_L.size // 8])
    features_NF, quality_NM = logs.seen.features_NF, logs.seen.quality_NM
    graphs = DiscoveryConfig(density_minimum_samples=())
    found = choose_partition(
        features_NF[train_K],
        quality_NM[train_K],
        features_NF[validation_K],
        quality_NM[validation_K],
        graphs,
        seed,
        label_N=logs.benchmark_N[train_K],
    )
    task_N = assign(features_NF[train_K], found.partition, features_NF)
    task_N[train_K] = found.partition.task_N
    seen = {name: getattr(logs.seen, name) for name in Observations.__slots__}
    known = Known(
        observations=Observations(**{**seen, "task_N": task_N}),
        label_N=logs.benchmark_N,
        learning_N=np.ones(everything.size, dtype=bool),
        input_usd_per_mtok_M=logs.input_usd_per_mtok_M,
        output_usd_per_mtok_M=logs.output_usd_per_mtok_M,
    )
    gains = held_out_gains(refitting(known, QUICK, seed), quality_NM, logs.benchmark_N, seed=seed, most=14)
    told = [
        {
            "benchmark": gain.benchmark,
            "prompts": gain.prompts,
            "gain": {"mean": gain.gain.mean, "low": gain.gain.low, "high": gain.gain.high},
            "fallback_share": gain.fallback_share,
        }
        for gain in gains
    ]
    return keep("leave_out", lambda folder: (folder / "held_out.json").write_text(json.dumps(told)))


@task(
    cache_key_fn=by_content("components.reports", "components.evaluation"),
    persist_result=True,
    result_serializer="json",
)
def conclude(laid_out: DataRef, judged: list[DataRef], held_out: DataRef, chosen: dict[str, int], seed: int) -> DataRef:
    """A block's report and reliability figure."""
    block = load_named(laid_out.file("block.npz"))
    parts = [load_named(ref.file("predicted.npz")) for ref in judged]
    routers = [load_named(ref.file("router.npz")) for ref in judged]
    row_N = np.concatenate([router["test"] for router in routers])
    split_N = np.repeat(np.arange(len(routers)), [router["test"].size for router in routers])
    named = set.intersection(*(set(part) for part in parts))
    predicted = {name: np.concatenate([part[name] for part in parts]) for name in parts[0] if name in named}
    calibrated, raw, cost = (np.concatenate([r[key] for r in routers]) for key in ("calibrated", "raw", "cost"))
    report = block_report(
        predicted,
        quality_NM=block["quality_NM"][row_N],
        cost_usd_NM=block["cost_usd_NM"][row_N],
        benchmark_N=block["benchmark_N"][row_N],
        split_N=split_N,
        calibrated_NM=calibrated,
        raw_NM=raw,
        expected_cost_NM=cost,
        models=block["models"].tolist(),
        splits=[json.loads(ref.file("figures.json").read_text()) for ref in judged],
        held_out=json.loads(held_out.file("held_out.json").read_text()),
        tuned=chosen,
        seed=seed,
    )
    figure = reliability(calibrated, block["quality_NM"][row_N], block["models"].tolist(), raw_NM=raw) or ""

    def write(folder: Path) -> None:
        (folder / "block.json").write_text(json.dumps(report, allow_nan=False))
        (folder / "reliability.svg").write_text(figure)

    return keep("compare_block", write)


@task(
    cache_key_fn=by_content("components.reports", "components.evaluation"),
    persist_result=True,
    result_serializer="json",
)
def present(concluded: dict[str, DataRef]) -> DataRef:
    """The page with all blocks."""
    report = {name: json.loads(ref.file("block.json").read_text()) for name, ref in concluded.items()}
    figures = {name: ref.file("reliability.svg").read_text() for name, ref in concluded.items()}
    return keep("compare", lambda folder: write_comparison(report, folder, figures))


@task(cache_policy=NO_CACHE)
def record(presented: DataRef, parameters: dict[str, Any]) -> str:
    """One MLflow run a comparison, with a child for every block; its id."""
    mlflow, report = registry(), json.loads(presented.file(DATA).read_text())
    run_id = mlflow.start_run(f"compare-{presented.digest[:8]}", params=parameters, tags={"kind": "compare"})
    for name, block in report.items():
        child = mlflow.start_run(f"compare-{name}", parent=run_id, tags={"kind": "compare"})
        mlflow.log(
            child,
            metrics={
                f"{method}.{key}": value
                for method, score in block["methods"].items()
                for key, value in (("quality", score["quality"][0]), ("aiq", score["aiq"]), ("regret", score["regret"]))
                if value is not None
            },
        )
        mlflow.finish(child)
    mlflow.log_folder(run_id, presented.path, "report")
    mlflow.finish(run_id)
    return run_id


@flow(name="compare", log_prints=True, task_runner=task_runner())
def compare(parameters: CompareParameters) -> Compared:
    """Trains every method on every split of every block and judges all on the same prompts."""
    smoke, seed, splits = parameters.preset == "smoke", parameters.seed, parameters.splits
    found = {block.name: block for block in blocks_in(parameters.data)}
    if unknown := [name for name in parameters.blocks if name not in found]:
        raise ValueError(f"unknown block {unknown[0]!r}; in {parameters.data}: {', '.join(found)}")
    encoder = export_encoder(parameters.encoder)
    concluded = {}
    for name in parameters.blocks or found:
        tables = ingest(reference(parameters.data / found[name].folder), QuarantineConfig())
        laid_out = lay_out(tables, embed(tables, encoder), encoder, found[name])
        places = {} if smoke else {method: (laid_out, encoder, method, splits, seed) for method in GRIDS}
        chosen = dict.fromkeys(GRIDS, 0) | fan_out(tune, places)
        numbers = range(2 if smoke else splits)
        config = TwoStageConfig()
        judged = fan_out(judge, {n: (laid_out, encoder, chosen, splits, n, config, seed) for n in numbers})
        held_out = leave_out(laid_out, encoder, seed)
        concluded[name] = conclude(laid_out, list(judged.values()), held_out, chosen, seed)
        print(headline(name, json.loads(concluded[name].file("block.json").read_text())))
    presented = present(concluded)
    run_id = record(presented, parameters.model_dump(mode="json"))
    report = json.loads(presented.file(DATA).read_text())
    compared = Compared(
        page=presented.file(PAGE),
        run_id=run_id,
        run_url=f"{settings().mlflow_ui}/#/experiments/{registry().experiment_id}/runs/{run_id}",
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


def _split(laid_out: DataRef, splits: int, number: int, seed: int) -> tuple[Any, Any]:
    block = load_named(laid_out.file("block.npz"))
    return list(grouped_folds(block["group_N"], block["benchmark_N"], splits, seed))[number]


def _logs(laid_out: DataRef, encoder: DataRef, learn_L: Any) -> Logs:
    """The block, its features fitted on the prompts to learn from alone."""
    block, tokens = load_named(laid_out.file("block.npz")), load_arrays(Tokens, laid_out.file("tokens.npz"))
    learnt = fit_features(tokens.take(learn_L), Encoder.load(encoder.path).vocabulary, FeatureConfig())
    seen = Observations(
        features_NF=learnt.transform(block["embedding_ND"], tokens),
        embedding_ND=block["embedding_ND"],
        quality_NM=block["quality_NM"],
        output_tokens_NM=block["output_tokens_NM"],
        cost_usd_NM=block["cost_usd_NM"],
        input_tokens_N=tokens.length_N.astype(np.float64),
        task_N=np.full(tokens.length_N.size, -1, dtype=np.int32),
    )
    return Logs(
        seen=seen,
        benchmark_N=block["benchmark_N"],
        input_usd_per_mtok_M=block["input_usd_per_mtok_M"],
        output_usd_per_mtok_M=block["output_usd_per_mtok_M"],
    )


def _note(report: dict[str, Any], compared: Compared) -> None:
    rows = [
        {"block": name, "method": method, "quality": round(score["quality"][0], 4), "regret": round(score["regret"], 4)}
        for name, block in report.items()
        for method, score in block["methods"].items()
    ]
    create_table_artifact(table=rows, key="comparison", description="Every method on every block")
    create_link_artifact(link=compared.run_url, key="compare-mlflow-run", link_text="The comparison in MLflow")

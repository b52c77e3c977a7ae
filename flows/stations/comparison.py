"""The comparison's stations: a block's arrays, tuned grids, splits judged, benchmarks left out."""

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.baselines.grids import GRIDS
from components.baselines.methods import METHODS
from components.baselines.tuning import tuned
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.evaluation.block import common_block
from components.evaluation.folds import grouped_folds
from components.evaluation.held_out import Trained, held_out_gains
from components.evaluation.shifts import by_date
from components.learning.comparison import Logs, discover, judge_split, learning_order
from components.learning.fit import Observations
from components.learning.refit import QUICK, Known, refitting
from components.learning.selection import best_single
from components.learning.two_stage import TwoStageConfig
from components.reports.report import plain
from components.tables.matrices import dates, to_matrices
from components.tables.splits import near_duplicate_groups
from components.tables.store import read_tables
from components.tasks.choice import DiscoveryConfig
from flows.platform.arrays import load_arrays, load_named, save_arrays, save_named
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.blocks import Block
from pointsman.text.encoder import Encoder, Tokens

_NEEDS_COSTS = frozenset({"cheapest"})
_CONTROLS = ("mlp_no_bias", "mlp_skip", "implicit_no_feedback", "implicit_no_skip")
"""What an implicit head is without one of its parts."""
_UNTUNED = ("random", "best_single", "best_per_benchmark", "knn10", "knn100", "kmeans60", "cheapest", *_CONTROLS)
_MOST_LEFT_OUT = 14
SHIFTED = ("linear", "mlp", "mlp_no_bias", "mlp_skip", "implicit", "implicit_no_feedback", "implicit_no_skip")
"""The implicit head and what it is compared with on benchmarks left out."""
_MOST_LEFT_OUT_OF_PEERS, _SEEDS_OF_PEERS = 6, 3


@cached_task()
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
        "date_N": dates(frames.prompts)[kept] if block.by_date else np.array([], dtype="datetime64[D]"),
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


@cached_task(run_name="tune-{method}")
def tune(laid_out: DataRef, encoder: DataRef, method: str, splits: int, seed: int) -> int:
    """A method's best place in its grid, on validation prompts of the first split."""
    learn_L, _ = rows_of(laid_out, splits, 0, seed)
    logs = _logs(laid_out, encoder, learn_L)
    order_L = learning_order(learn_L, seed)
    validation_K, train_K = np.split(order_L, [order_L.size // 8])
    return tuned(GRIDS[method], logs.training_set(train_K), logs.training_set(validation_K), seed).chosen


@cached_task(run_name="split-{number}")
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
    learn_L, test_K = rows_of(laid_out, splits, number, seed)
    logs = _logs(laid_out, encoder, learn_L)
    priced = bool(np.isfinite(logs.seen.cost_usd_NM).any())
    fits = {name: METHODS[name] for name in _UNTUNED if priced or name not in _NEEDS_COSTS}
    fits |= {name: GRIDS[name][place] for name, place in chosen.items()}
    told = judge_split(logs, learn_L, test_K, fits, DiscoveryConfig(), config, seed + number)

    def write(folder: Path) -> None:
        save_named(told.predicted, folder / "predicted.npz")
        parts = {"calibrated": told.calibrated_KM, "raw": told.raw_KM, "cost": told.expected_cost_KM}
        save_named({**parts, "test": test_K}, folder / "router.npz")
        (folder / "figures.json").write_text(json.dumps(plain(told.figures)))

    return keep("judge", write)


@cached_task(run_name="leave-out-{method}")
def leave_out_of(laid_out: DataRef, encoder: DataRef, method: str, place: int | None, seed: int) -> DataRef:
    """A peer's gain on each of the largest benchmarks when it wasn't trained on it, seed by seed."""
    everything = np.arange(load_named(laid_out.file("block.npz"))["benchmark_N"].size)
    logs = _logs(laid_out, encoder, everything)
    fit = METHODS[method] if place is None else GRIDS[method][place]

    def trained(rows_K: NDArray[np.intp], draw: int) -> Trained:
        model = fit(logs.training_set(rows_K), draw)
        return Trained(
            scores=lambda judged_K: model.predict(logs.seen.features_NF[judged_K]),
            best_single=best_single(logs.seen.quality_NM[rows_K]),
        )

    told = [
        [
            asdict(gain)
            for gain in held_out_gains(
                partial(trained, draw=draw),
                logs.seen.quality_NM,
                logs.benchmark_N,
                seed=seed,
                most=_MOST_LEFT_OUT_OF_PEERS,
            )
        ]
        for draw in range(seed, seed + _SEEDS_OF_PEERS)
    ]
    return keep("leave_out_of", lambda folder: (folder / "held_out.json").write_text(json.dumps(told)))


@cached_task()
def leave_out(laid_out: DataRef, encoder: DataRef, seed: int) -> DataRef:
    """The router's gain on each benchmark that it wasn't trained on."""
    everything = np.arange(load_named(laid_out.file("block.npz"))["benchmark_N"].size)
    logs = _logs(laid_out, encoder, everything)
    _, order_L, task_L = discover(logs, everything, DiscoveryConfig(density_minimum_samples=()), seed)
    task_N = np.empty_like(task_L)
    task_N[order_L] = task_L
    known = Known(
        observations=replace(logs.seen, task_N=task_N),
        label_N=logs.benchmark_N,
        learning_N=np.ones(everything.size, dtype=bool),
        input_usd_per_mtok_M=logs.input_usd_per_mtok_M,
        output_usd_per_mtok_M=logs.output_usd_per_mtok_M,
    )
    fit = refitting(known, QUICK, seed)
    gains = held_out_gains(fit, logs.seen.quality_NM, logs.benchmark_N, seed=seed, most=_MOST_LEFT_OUT)
    told = json.dumps([asdict(gain) for gain in gains])
    return keep("leave_out", lambda folder: (folder / "held_out.json").write_text(told))


def rows_of(laid_out: DataRef, splits: int, number: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to learn from and to judge on, of one split of a block."""
    block = load_named(laid_out.file("block.npz"))
    if block["date_N"].size:
        shift = by_date(block["date_N"])
        return shift.train_K, shift.test_K
    return list(grouped_folds(block["group_N"], block["benchmark_N"], splits, seed))[number]


def _logs(laid_out: DataRef, encoder: DataRef, learn_L: NDArray[np.intp]) -> Logs:
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

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
from components.learning.comparison import judge_split
from components.learning.refit import QUICK, refitting
from components.learning.router import LEARNING, LearnConfig, discover_tasks, with_tasks
from components.learning.selection import best_single
from components.learning.two_stage import TwoStageConfig
from components.reports.report import plain
from components.tables.board import Board, load_board, save_board, to_board
from components.tables.splits import SplitConfig, groups_of, learning_splits
from components.tables.store import read_tables
from components.tasks.discovery_config import DiscoveryConfig
from flows.platform.arrays import load_arrays, save_arrays, save_named
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.blocks import Block
from pointsman.text.encoder import read_tokenizer
from pointsman.text.lengths import prompt_tokens
from pointsman.text.tokens import Tokens

_NEEDS_COSTS = frozenset({"cheapest"})
_CONTROLS = ("mlp_no_bias", "mlp_skip", "implicit_no_feedback", "implicit_no_skip")
"""What an implicit head is without one of its parts."""
_UNTUNED = ("random", "best_single", "best_per_benchmark", "knn10", "knn100", "kmeans60", "cheapest", *_CONTROLS)
_MOST_LEFT_OUT = 14
_NO_ROWS = np.empty(0, dtype=np.intp)
SHIFTED = ("linear", "mlp", "mlp_no_bias", "mlp_skip", "implicit", "implicit_no_feedback", "implicit_no_skip")
"""The implicit head and what it is compared with on benchmarks left out."""
_MOST_LEFT_OUT_OF_PEERS, _SEEDS_OF_PEERS = 6, 3


@cached_task(name="compare: block")
def lay_out(*, tables: DataRef, embedded: DataRef, encoder: DataRef, block: Block) -> DataRef:
    """A block's arrays: prompts on which every one of its candidates has an outcome."""
    frames = read_tables(tables.path)
    board = replace(to_board(frames), embedding_ND=np.load(embedded.file("embedding.npy")))
    rows = np.isin(board.benchmark_N, block.benchmarks) if block.benchmarks else np.ones(len(frames.prompts), bool)
    if block.candidates:
        columns = np.array([board.models.index(model) for model in block.candidates])
        kept = np.flatnonzero(rows & board.observed_NM[:, columns].all(axis=1))
    else:
        whole = common_block(board.observed_NM & rows[:, None])
        kept, columns = whole.rows_K, whole.columns_C
    prompts, board = frames.prompts[kept], board.take(kept).keep(columns)
    texts = prompts["prompt"].to_list()
    tokens = read_tokenizer(encoder.path).tokenize(texts)
    board = replace(
        board,
        date_N=board.date_N if block.by_date else np.array("NaT", dtype="datetime64[D]"),
        group_N=groups_of(prompts, board.embedding_ND, SplitConfig(seed=0)),
        input_tokens_N=prompt_tokens(tokens.length_N, texts).astype(np.float64),
    )

    def write(folder: Path) -> None:
        save_board(board, folder)
        save_arrays(tokens, folder / "tokens.npz")

    return keep("lay_out", write)


@cached_task(name="compare: tune", run_name="compare: tune {method}")
def tune(*, laid_out: DataRef, encoder: DataRef, method: str, splits: int, seed: int) -> int:
    """A method's best place in its grid, on validation prompts of the first split."""
    board = _fold(laid_out, encoder, *rows_of(laid_out, splits, 0, seed), seed)
    training, validation = (board.take(board.rows(name)) for name in LEARNING)
    return tuned(GRIDS[method], training, validation, seed).chosen


@cached_task(name="compare: split", run_name="compare: split {number}")
def judge(
    *,
    laid_out: DataRef,
    encoder: DataRef,
    chosen: dict[str, int],
    splits: int,
    number: int,
    config: TwoStageConfig,
    seed: int,
) -> DataRef:
    """What every method, trained on the other prompts, says of one split's."""
    board = _fold(laid_out, encoder, *rows_of(laid_out, splits, number, seed), seed + number)
    priced = bool(np.isfinite(board.cost_usd_NM).any())
    fits = {name: METHODS[name] for name in _UNTUNED if priced or name not in _NEEDS_COSTS}
    fits |= {name: GRIDS[name][place] for name, place in chosen.items()}
    scored = judge_split(board, fits, LearnConfig(stages=config), seed + number)

    def write(folder: Path) -> None:
        save_named(scored.predicted, folder / "predicted.npz")
        parts = {"calibrated": scored.calibrated_KM, "raw": scored.raw_KM, "cost": scored.expected_cost_KM}
        save_named({**parts, "test": board.rows("test")}, folder / "router.npz")
        (folder / "figures.json").write_text(json.dumps(plain(scored.figures)))

    return keep("judge", write)


@cached_task(name="compare: peer left out", run_name="compare: {method}, benchmarks left out")
def leave_out_of(*, laid_out: DataRef, encoder: DataRef, method: str, place: int | None, seed: int) -> DataRef:
    """A peer's gain on each of the largest benchmarks when it wasn't trained on it, seed by seed."""
    board = _fold(laid_out, encoder, _all_rows(laid_out), _NO_ROWS, seed)
    fit = METHODS[method] if place is None else GRIDS[method][place]

    def trained(rows_K: NDArray[np.intp], draw: int) -> Trained:
        model = fit(board.take(rows_K), draw)
        return Trained(
            scores=lambda judged_K: model.predict(board.features_NF[judged_K]),
            best_single=best_single(board.quality_NM[rows_K]),
        )

    gains = [
        [
            asdict(gain)
            for gain in held_out_gains(
                partial(trained, draw=draw),
                board.quality_NM,
                board.benchmark_N,
                seed=seed,
                group_N=board.group_N,
                most=_MOST_LEFT_OUT_OF_PEERS,
            )
        ]
        for draw in range(seed, seed + _SEEDS_OF_PEERS)
    ]
    return keep("leave_out_of", lambda folder: (folder / "held_out.json").write_text(json.dumps(gains)))


@cached_task(name="compare: benchmarks left out")
def leave_out(*, laid_out: DataRef, encoder: DataRef, seed: int) -> DataRef:
    """The router's gain on each benchmark that it wasn't trained on."""
    board = _fold(laid_out, encoder, _all_rows(laid_out), _NO_ROWS, seed)
    found = discover_tasks(board, DiscoveryConfig(density_minimum_samples=()), seed)
    fit = refitting(with_tasks(board, found.partition), QUICK, seed)
    gains = held_out_gains(
        fit, board.quality_NM, board.benchmark_N, seed=seed, group_N=board.group_N, most=_MOST_LEFT_OUT
    )
    content = json.dumps([asdict(gain) for gain in gains])
    return keep("leave_out", lambda folder: (folder / "held_out.json").write_text(content))


def rows_of(laid_out: DataRef, splits: int, number: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to learn from and to judge on, of one split of a block."""
    board = load_board(laid_out.path)
    if not np.isnat(board.date_N).all():
        shift = by_date(board.date_N, group_N=board.group_N)
        return shift.train_K, shift.test_K
    return list(grouped_folds(board.group_N, board.benchmark_N, splits, seed))[number]


def _all_rows(laid_out: DataRef) -> NDArray[np.intp]:
    return np.arange(len(load_board(laid_out.path).quality_NM))


def _fold(laid_out: DataRef, encoder: DataRef, learn_L: NDArray[np.intp], test_K: NDArray[np.intp], seed: int) -> Board:
    """The block as a retrain would have it: prompts in splits, features fitted on the training prompts alone."""
    board, tokens = load_board(laid_out.path), load_arrays(Tokens, laid_out.file("tokens.npz"))
    split_N = np.full(board.benchmark_N.size, "", dtype="<U10")
    split_N[learn_L] = learning_splits(board.group_N[learn_L], board.benchmark_N[learn_L], SplitConfig(seed=seed))
    split_N[test_K] = "test"
    train_K = np.flatnonzero(split_N == "train")
    learnt = fit_features(tokens.take(train_K), read_tokenizer(encoder.path).vocabulary, FeatureConfig(seed=seed))
    return replace(board, split_N=split_N, features_NF=learnt.transform(board.embedding_ND, tokens))

"""Static encoders distilled from the sentence encoder, against the sentence encoder itself."""

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.embeddings.distil import DistilConfig
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.embeddings.static_folder import distil_folder, refitted, token_vectors
from components.evaluation.paired import difference
from components.learning.encoder_choice import ChoiceConfig, choose_encoder
from components.learning.refit import QUICK
from components.learning.router import LearnConfig, learn_router
from components.tables.board import Board
from components.tables.store import read_tables
from components.tasks.discovery_config import DiscoveryConfig
from flows.stations.blocks import STANDARD, Block
from pointsman.model.guard import router_scores
from pointsman.model.router_model import RouterModel
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.tokens import Tokens
from tests.benchmarks.one_answer_logs import complete_board, divided
from tests.benchmarks.routing import Skipped
from tests.benchmarks.table import Cell, Table

BLOCKS = (*STANDARD[:2], STANDARD[3], Block(name="pareto", folder="pareto"))
CONFIG = LearnConfig(discovery=DiscoveryConfig(density_minimum_samples=(), repeats=1), stages=QUICK)
"""The quick training, graphs alone: what is compared is encoders, not trainings."""
BATCH = 1000


def run(data: Path, cache: Path, *, blocks: tuple[str, ...] = (), seeds: int = 2) -> Table:
    """Every block and seed.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    missing = [block.folder for block in BLOCKS if not (data / block.folder).is_dir()]
    if missing:
        raise Skipped(f"no {data / missing[0]}: name a folder that holds the standard blocks by --logs")
    rows: list[dict[str, Cell]] = []
    for block in BLOCKS:
        if not blocks or block.name in blocks:
            for row in block_rows(data, block, cache, seeds):
                rows.append(row)
                print(row, flush=True)
    return Table(
        name="encoders",
        claim=(
            "Routers trained on the same splits with int8 MiniLM and with token vectors distilled from it on the "
            "training prompts: quality of the choices on test prompts, policy `best`, and the difference with its "
            "95 % interval. Novelty (area under the curve) and left out (quality by guarded neighbours): benchmarks "
            "left out of distillation and training, as `--encoder auto` judges them. Prompts a second: routing the "
            f"block's own prompts in batches of {BATCH} on one thread, in processor time, both in turn."
        ),
        rows=rows,
        summary={
            "worst difference of quality": min(float(row["difference"] or 0) for row in rows),
            "least ratio of prompts a second": min(float(row["ratio"] or 0) for row in rows),
        },
    )


def block_rows(data: Path, block: Block, cache: Path, seeds: int) -> Iterator[dict[str, Cell]]:
    """One row a seed."""
    whole, tokens, sentence = complete_board(data, block, cache)
    frames = read_tables(data / block.folder).prompts
    text = dict(frames.select("prompt_id", "prompt").iter_rows())
    texts = [text[name] for name in whole.prompt_id_N]
    start = cache / "token_vectors.npy"
    if not start.exists():
        np.save(start, token_vectors(sentence))
    start_VD, folder = np.load(start), cache / "encoder"
    for seed in range(seeds):
        board = divided(whole, tokens, sentence.vocabulary, seed)
        train_K = board.rows("train")
        static_folder = cache / f"{block.name}-{seed}"
        taught = [texts[row] for row in train_K]
        distil_folder(folder, taught, board.embedding_ND[train_K], start_VD, DistilConfig(), static_folder)
        static = Encoder.load(static_folder)
        other = divided(replace(whole, embedding_ND=static.encode_tokens(tokens)), tokens, sentence.vocabulary, seed)
        model, of_sentence = _routed(board, seed)
        _, of_static = _routed(other, seed)
        moments = difference(of_static, of_sentence).interval(0.025)
        rows_S = np.sort(np.random.default_rng(seed).permutation(train_K)[: ChoiceConfig().prompts])
        teacher_SD = board.embedding_ND[rows_S]
        again = refitted(folder, tokens.take(rows_S), teacher_SD, start_VD, DistilConfig())
        choice = choose_encoder(
            {"static": again, "sentence": lambda _, vectors_SD=teacher_SD: vectors_SD},
            board.quality_NM[rows_S],
            board.benchmark_N[rows_S],
            ChoiceConfig(),
            seed,
        )
        found = {
            f"{name}, {one.name}": one.value
            for name, criteria in choice.criteria.items()
            for one in criteria
            if one.name != "routing"
        }
        fast, slow = _rates(model, board, tokens, {"static": static, "int8": sentence}, texts)
        yield {
            "block": block.name,
            "seed": seed,
            "int8": float(of_sentence.mean()),
            "static": float(of_static.mean()),
            "difference": moments.mean,
            "low": moments.low,
            "high": moments.high,
            "auto": choice.chosen,
            "novelty, int8": found.get("sentence, novelty"),
            "novelty, static": found.get("static, novelty"),
            "left out, int8": found.get("sentence, left_out"),
            "left out, static": found.get("static, left_out"),
            "tokens, mean": float(tokens.length_N.mean()),
            "static prompts/s": fast,
            "ratio": fast / slow,
        }


def _routed(board: Board, seed: int) -> tuple[RouterModel, NDArray[np.float64]]:
    """A router, and the quality of its choice on each test prompt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = learn_router(board, np.arange(len(board.quality_NM)), CONFIG, seed).trained.model
    test = board.take(board.rows("test"))
    believed = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    choice_N = router_scores(believed, int(model.fallback)).argmax(axis=1)
    return model, np.take_along_axis(test.quality_NM, choice_N[:, None], axis=1)[:, 0]


def _rates(
    model: RouterModel, board: Board, tokens: Tokens, encoders: Mapping[str, Encoder], texts: Sequence[str]
) -> list[float]:
    """Prompts a second of processor time with each encoder; a tenth as many for the slow one."""
    vocabulary = encoders["int8"].vocabulary
    feature_map = fit_features(tokens.take(board.rows("train")), vocabulary, FeatureConfig())
    rates = []
    for name, count in (("static", BATCH), ("int8", BATCH // 10)):
        router, prompts = Router(model, feature_map, encoders[name], board.models), texts[:count]
        router.route(prompts[: BATCH if name == "static" else 5])
        start = time.process_time()
        router.route(prompts)
        rates.append(len(prompts) / (time.process_time() - start))
    return rates

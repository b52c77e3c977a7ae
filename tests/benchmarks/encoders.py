"""Static encoders distilled from the sentence encoder, against the sentence encoder itself."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.embeddings.distil import DistilConfig
from components.embeddings.feature_fit import FeatureConfig, fit_features
from components.embeddings.static_folder import distil_folder, refitted, token_vectors
from components.evaluation.paired import difference
from components.learning.encoder_choice import ChoiceConfig, choose_encoder
from components.tables.board import Board
from components.tables.store import read_tables
from flows.stations.blocks import Block
from pointsman.model.router_model import RouterModel
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.tokens import Tokens
from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.one_answer_case import choices, learn
from tests.benchmarks.one_answer_logs import complete_board, divided
from tests.benchmarks.table import Cell, Table

BLOCKS = ("llmrouter", "frontier-quality", "mmlu-pro", "pareto")
BATCH = 1000
PROMPTS = 1500
"""Of a block at most: with the sentence encoder's 20 ms a prompt all blocks take some minutes of two cores."""


def run(data: Path, cache: Path, *, blocks: tuple[str, ...] = (), seeds: int = 1, prompts: int = PROMPTS) -> Table:
    """Every block and seed.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    rows: list[dict[str, Cell]] = []
    for block in chosen_blocks(data, blocks or BLOCKS):
        for row in block_rows(data, block, cache, seeds, prompts):
            rows.append(row)
            print(row, flush=True)
    return Table(
        name="encoders",
        claim=(
            "Routers trained on the same splits with int8 MiniLM and with token vectors distilled from it on the "
            f"training prompts, {prompts} prompts a block at most: quality of the choices on test prompts at the "
            "operating policy and at `best`, the differences with their 95 % intervals, and the cost at the operating "
            "policy relative to int8's. Novelty (area under the curve) and left out (quality by guarded neighbours): "
            "benchmarks left out of distillation and training, as `--encoder auto` judges them. Prompts a second: "
            f"routing the block's own prompts in batches of {BATCH} on one thread, in processor time, both in turn."
        ),
        rows=rows,
        summary={
            "worst difference at the operating policy": min(float(row["difference"] or 0) for row in rows),
            "worst difference at best": min(float(row["best, difference"] or 0) for row in rows),
            "least ratio of prompts a second": min(float(row["ratio"] or 0) for row in rows),
        },
    )


def block_rows(data: Path, block: Block, cache: Path, seeds: int, prompts: int) -> Iterator[dict[str, Cell]]:
    """One row a seed."""
    whole, tokens, sentence = complete_board(data, block, cache, prompts)
    frames = read_tables(data / block.folder).prompts
    text = dict(frames.select("prompt_id", "prompt").iter_rows())
    texts = [text[name] for name in whole.prompt_id_N]
    start = cache / "token_vectors.npy"
    if not start.exists():
        np.save(start, token_vectors(cache / "encoder"))
    start_VD, folder = np.load(start), cache / "encoder"
    for seed in range(seeds):
        board = divided(whole, tokens, sentence.vocabulary, seed)
        train_K = board.rows("train")
        static_folder = cache / f"{block.name}-{seed}"
        taught = [texts[row] for row in train_K]
        distil_folder(folder, taught, board.embedding_ND[train_K], start_VD, DistilConfig(), static_folder)
        static = Encoder.load(static_folder)
        other = divided(replace(whole, embedding_ND=static.encode_tokens(tokens)), tokens, sentence.vocabulary, seed)
        sentence_one, static_one = _routed(board, seed), _routed(other, seed)
        operating, best = (
            difference(theirs, ours).interval(0.025)
            for theirs, ours in (
                (static_one.operating_N, sentence_one.operating_N),
                (static_one.best_N, sentence_one.best_N),
            )
        )
        rows_S = np.sort(np.random.default_rng(seed).permutation(train_K)[: ChoiceConfig().prompts])
        teacher_SD = board.embedding_ND[rows_S]
        again = refitted(folder, tokens.take(rows_S), teacher_SD, start_VD, DistilConfig())
        choice = choose_encoder(
            {"static": again, "sentence": lambda _, vectors_SD=teacher_SD: vectors_SD},
            board.quality_NM[rows_S],
            board.benchmark_N[rows_S],
            ChoiceConfig(),
            seed,
            board.group_N[rows_S],
        )
        found = {
            f"{name}, {one.name}": one.value
            for name, criteria in choice.criteria.items()
            for one in criteria
            if one.name != "routing"
        }
        fast, slow = _rates(sentence_one.model, board, tokens, {"static": static, "int8": sentence}, texts)
        yield {
            "block": block.name,
            "seed": seed,
            "prompts": len(texts),
            "int8": float(sentence_one.operating_N.mean()),
            "static": float(static_one.operating_N.mean()),
            "difference": operating.mean,
            "low": operating.low,
            "high": operating.high,
            "cost, static": _share(static_one.paid_N, sentence_one.paid_N),
            "best, difference": best.mean,
            "best, low": best.low,
            "best, high": best.high,
            "auto": choice.chosen,
            "novelty, int8": found.get("sentence, novelty"),
            "novelty, static": found.get("static, novelty"),
            "left out, int8": found.get("sentence, left_out"),
            "left out, static": found.get("static, left_out"),
            "tokens, mean": float(tokens.length_N.mean()),
            "static prompts/s": fast,
            "ratio": fast / slow,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Routed:
    """A router and what it gets on each test prompt."""

    model: RouterModel
    operating_N: NDArray[np.float64]
    """Quality at the operating policy."""
    paid_N: NDArray[np.float64]
    """USD there."""
    best_N: NDArray[np.float64]
    """Quality at `best`."""


def _routed(board: Board, seed: int) -> Routed:
    learnt, test = learn(board, seed), board.take(board.rows("test"))
    best_N, _, operating_N, _ = choices(learnt, test, seed)
    at = np.arange(best_N.size)
    return Routed(
        model=learnt.trained.model,
        operating_N=test.quality_NM[at, operating_N],
        paid_N=test.cost_usd_NM[at, operating_N],
        best_N=test.quality_NM[at, best_N],
    )


def _share(paid_N: NDArray[np.float64], theirs_N: NDArray[np.float64]) -> float | None:
    """USD relative to the others'; None where costs aren't known."""
    share = float(paid_N.mean() / theirs_N.mean())
    return share if np.isfinite(share) else None


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

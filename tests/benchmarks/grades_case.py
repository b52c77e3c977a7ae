"""Routers trained on a judge's grades, on corrected ones and on the truth, each judged on the truth.

Shapes: N prompts, M candidates.
"""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.embeddings.cache import embed_cached
from components.embeddings.export import export_minilm
from components.evaluation.paired import difference
from components.grading.correction import recalibrate
from components.grading.stand_ins import stand_ins
from components.learning.router import learn_router
from components.tables.board import Board
from components.tables.likeness import near_duplicate_groups
from pointsman.model.guard import router_scores
from pointsman.text.encoder import Encoder
from tests.benchmarks.one_answer_case import CONFIG
from tests.benchmarks.one_answer_logs import divided
from tests.benchmarks.simulated_board import simulated_board
from tests.benchmarks.table import Cell

Floats = NDArray[np.float64]
TRUE, JUDGE, CORRECTED = "deepseek-r1", "gpt-4.1-mini", 100
WORLDS = ("pareto", "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Where grades come from, and a seed."""

    world: str
    seed: int


def figures(case: Case, data: Path, cache: Path) -> list[dict[str, Cell]]:
    """A row for each of the three."""
    if case.world == "pareto":
        board, judge_NM = judged_pareto(data, cache, case.seed)
    else:
        board, judge_NM = judged_world(case.seed)
    truth_NM = board.quality_NM
    rng = np.random.default_rng(case.seed)
    shown_NM = rng.permuted(np.tile(np.arange(len(truth_NM))[:, None], (1, truth_NM.shape[1])), axis=0) < CORRECTED
    better_NM = np.where(shown_NM, truth_NM, np.nan)
    corrected_NM = np.where(shown_NM, truth_NM, recalibrate(judge_NM, better_NM).apply(judge_NM))
    found = stand_ins([judge_NM], better_NM, case.seed)
    assert found is not None  # there are a hundred corrections a candidate
    learnt_from = {"judge": judge_NM, "corrected": corrected_NM, "truth": truth_NM}
    judged_by = {"judge": judge_NM, "corrected": found.grade_NM, "truth": truth_NM}
    return [
        {"world": case.world, "seed": case.seed, "trained on": name}
        | _row(board, quality_NM, judged_by[name], case.seed)
        for name, quality_NM in learnt_from.items()
    ]


def judged_pareto(data: Path, cache: Path, seed: int) -> tuple[Board, Floats]:
    """The prompts that three judges graded, with one of them as the truth, and another's grades."""
    grades = pl.read_parquet(data / "pareto" / "grades.parquet").sort("prompt_id", "model")
    prompts = grades.unique("prompt_id", keep="first", maintain_order=True)
    models = grades["model"].unique().sort().to_list()
    wide = {
        judge: grades.filter(pl.col("judge") == judge).pivot(on="model", index="prompt_id", values="grade")
        for judge in (TRUE, JUDGE)
    }
    truth_NM, judge_NM = (wide[judge].sort("prompt_id").select(models).to_numpy() for judge in (TRUE, JUDGE))
    if not (cache / "encoder" / "encoder.json").exists():
        export_minilm(cache / "encoder", "int8")
    encoder, texts = Encoder.load(cache / "encoder"), prompts["prompt"].to_list()
    embedding_ND, tokens = embed_cached(encoder, texts, cache / "embeddings"), encoder.tokenize(texts)
    board = Board(
        quality_NM=truth_NM,
        embedding_ND=embedding_ND,
        input_tokens_N=tokens.length_N.astype(np.float64),
        group_N=near_duplicate_groups(prompts["prompt"], embedding_ND, 0.95, 100),
        benchmark_N=prompts["benchmark"].to_numpy().astype(np.str_),
        model_M=np.array(models),
    )
    return divided(board, tokens, encoder.vocabulary, seed), judge_NM


def judged_world(seed: int) -> tuple[Board, Floats]:
    """A simulated world, and a judge who tells right from wrong by half, with a bias of each candidate's own."""
    board, _ = simulated_board(seed)
    rng = np.random.default_rng((seed, 7))
    bias_M = rng.uniform(-0.1, 0.1, board.quality_NM.shape[1])
    noisy_NM = 0.25 + 0.5 * board.quality_NM + bias_M + rng.normal(0, 0.2, board.quality_NM.shape)
    return board, np.clip(noisy_NM, 0, 1)


def _row(board: Board, quality_NM: Floats, judged_NM: Floats, seed: int) -> dict[str, Cell]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learnt = learn_router(replace(board, quality_NM=quality_NM), np.arange(len(quality_NM)), CONFIG, seed)
    test, model = board.rows("test"), learnt.trained.model
    part = board.take(test)
    prediction = model.predict(part.features_NF, part.embedding_ND, part.input_tokens_N)
    choice_K, single = router_scores(prediction, int(model.fallback)).argmax(axis=1), int(model.fallback)
    at = np.arange(test.size)
    gap_K = part.quality_NM[at, choice_K] - part.quality_NM[:, single]
    believed = difference(judged_NM[test][at, choice_K], judged_NM[test][:, single]).interval(0.025)
    return {
        "router": float(part.quality_NM[at, choice_K].mean()),
        "its best single": float(part.quality_NM[:, single].mean()),
        "best single": float(part.quality_NM.mean(axis=0).max()),
        "true gain": float(gap_K.mean()),
        "believed gain": believed.mean,
        "covered": int(believed.low <= gap_K.mean() <= believed.high),
    }

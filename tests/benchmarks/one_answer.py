"""Routers from logs of one answer a prompt, judged on complete outcomes of prompts that were never seen."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.estimators import Log
from components.evaluation.off_policy.judge import difference
from components.learning.operating import operate, policy_of
from components.learning.refit import QUICK
from components.learning.router import LEARNING, LearnConfig, Learnt, learn_router
from components.tables.board import Board
from components.tasks.choice import DiscoveryConfig
from flows.stations.blocks import STANDARD, Block
from flows.stations.operating import judge_learning
from pointsman.model.guard import router_scores
from pointsman.policy.policy import decide
from tests.benchmarks.one_answer_logs import LOGGINGS, complete_board, divided, thinned
from tests.benchmarks.routing import Skipped
from tests.benchmarks.table import Cell, Table

BLOCKS = (*STANDARD[:4], Block(name="pareto", folder="pareto"))
CONFIG = LearnConfig(discovery=DiscoveryConfig(density_minimum_samples=(), repeats=1), stages=QUICK)
"""The quick training, graphs alone: what is compared is logs, not trainings."""


def run(data: Path, cache: Path, *, blocks: tuple[str, ...] = (), seeds: int = 2) -> Table:
    """Every block, way of logging and seed.

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
        name="one_answer",
        claim=(
            "Quality on the complete outcomes of test prompts, policy `best`, of routers trained on logs thinned to "
            "one answer a prompt: uniform; 70 % by the cheapest (skewed); 90 % by the best (greedy); by the prompt's "
            "length (contextual); a tenth complete. Known best: the single candidate that the log shows as best. "
            "Policy: the operating policy; its cost relative to the known best's, its gain in quality, and the gain "
            "that is believed by the test prompts' single answers (doubly robust, 95 % interval)."
        ),
        rows=rows,
        summary={
            "intervals that cover the truth": float(np.mean([bool(row["covered"]) for row in rows])),
            "worst loss to the known best": min(
                float(row["router"] or 0) - float(row["known best"] or 0) for row in rows
            ),
        },
    )


def block_rows(data: Path, block: Block, cache: Path, seeds: int) -> Iterator[dict[str, Cell]]:
    """The complete logs and each way of thinning them."""
    whole, tokens, encoder = complete_board(data, block, cache)
    for seed in range(seeds):
        board = divided(whole, tokens, encoder, seed)
        for logging in ("complete", *LOGGINGS):
            log = board if logging == "complete" else thinned(board, logging, seed)
            yield {"block": block.name, "seed": seed, "logging": logging, **_figures(board, log, seed)}


def _figures(board: Board, log: Board, seed: int) -> dict[str, Cell]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        learnt = learn_router(log, np.arange(len(log.quality_NM)), CONFIG, seed)
    test, shown = board.take(board.rows("test")), log.take(board.rows("test"))
    known, best = int(learnt.trained.model.fallback), _best(board)
    predicted_NM, choice_N = _choices(learnt, test)
    at = np.arange(choice_N.size)
    got_N, known_N = test.quality_NM[at, choice_N], test.quality_NM[at, known]
    policy, operating_N = _operating(learnt, test, seed)
    paid, theirs = (float(test.cost_usd_NM[at, column].mean()) for column in (operating_N, known))
    inclusion_NM = np.ones(predicted_NM.shape) if log is board else shown.inclusion_NM
    judged = Log(outcome_NM=shown.quality_NM, inclusion_NM=inclusion_NM, predicted_NM=predicted_NM)
    believed = difference(judged, operating_N, np.full(choice_N.size, known), "doubly_robust", seed).normal
    truth = float((test.quality_NM[at, operating_N] - known_N).mean())
    return {
        "router": float(got_N.mean()),
        "known best": float(known_N.mean()),
        "best single": float(test.quality_NM[:, best].mean()),
        "oracle": float(test.quality_NM.max(axis=1).mean()),
        "policy": policy,
        "cost share": paid / theirs if theirs > 0 else None,
        "gain": truth,
        "believed": believed.mean,
        "believed low": believed.low,
        "believed high": believed.high,
        "covered": int(believed.low - 1e-9 <= truth <= believed.high + 1e-9),
    }


def _choices(learnt: Learnt, test: Board) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    model = learnt.trained.model
    prediction = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    scores_NM = router_scores(prediction, int(model.fallback))
    return prediction.quality_NM, np.asarray(scores_NM.argmax(axis=1), dtype=np.intp)


def _operating(learnt: Learnt, test: Board, seed: int) -> tuple[str, NDArray[np.intp]]:
    """The operating policy as a retrain chooses it, and its choices on the test prompts."""
    model, held, seen = learnt.trained.model, learnt.trained.two.held, learnt.seen
    fallback = int(model.fallback)
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    judged = judge_learning(seen, held, expected_NM, seed)
    config = CONFIG.stages.router
    found = operate(held, seen, judged, expected_NM, fallback, asked=None, config=config, seed=seed)
    prediction = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    return found.chosen.text(), decide(prediction, policy_of(found.chosen), fallback=fallback).candidate_N


def _best(board: Board) -> int:
    learning = board.take(board.rows(*LEARNING))
    return int(learning.quality_NM.mean(axis=0).argmax())

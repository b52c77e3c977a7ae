"""One router from one log: its worth on complete outcomes of prompts that were never seen, and what was believed.

Shapes: N prompts, M candidates.
"""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval
from components.learning.evidence import evidence_of, judged_outcomes, stand_in_variance
from components.learning.judged import Judged, judge_learning
from components.learning.operating import counts, operate, policy_of
from components.learning.refit import QUICK
from components.learning.router import LEARNING, LearnConfig, Learnt, learn_router
from components.tables.board import Board
from components.tasks.discovery_config import DiscoveryConfig
from flows.stations.blocks import Block
from pointsman.model.guard import router_scores
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import decide
from tests.benchmarks.one_answer_logs import board_of_vectors, divided, thinned
from tests.benchmarks.simulated_board import SIMULATED, simulated_board
from tests.benchmarks.table import Cell

CONFIG = LearnConfig(discovery=DiscoveryConfig(density_minimum_samples=(), repeats=1), stages=QUICK)
"""The quick training, graphs alone: what is compared is logs, not trainings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A block, a way of logging and a seed."""

    block: Block
    logging: str
    """`complete`, or one of LOGGINGS."""
    seed: int


def figures(case: Case, data: Path, vectors: Path) -> dict[str, Cell]:
    """The case's row of the table."""
    if case.block.name == SIMULATED:
        board, _ = simulated_board(case.seed)
    else:
        whole, tokens, vocabulary = board_of_vectors(data, case.block, vectors)
        board = divided(whole, tokens, vocabulary, case.seed)
    log = board if case.logging == "complete" else thinned(board, case.logging, case.seed)
    head: dict[str, Cell] = {"block": case.block.name, "seed": case.seed, "logging": case.logging}
    return {**head, **judge_log(board, log, case.seed)}


def judge_log(board: Board, log: Board, seed: int) -> dict[str, Cell]:
    """A router from the log's learning splits, on the complete board's test split.

    Args:
        board: every outcome.
        log: what is shown of them.
        seed: of everything random.
    """
    learnt = learn(log, seed)
    test, shown = board.take(board.rows("test")), log.take(board.rows("test"))
    known, best = int(learnt.trained.model.fallback), _best(board)
    choice_N, policy, operating_N, prediction = choices(learnt, test, seed)
    at = np.arange(choice_N.size)
    got_N, known_N = test.quality_NM[at, choice_N], test.quality_NM[at, known]
    paid, theirs = (float(test.cost_usd_NM[at, column].mean()) for column in (operating_N, known))
    believed = _believed(shown, prediction, operating_N, known, seed)
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


def _believed(shown: Board, prediction: Prediction, choice_N: NDArray[np.intp], single: int, seed: int) -> Interval:
    """The gain over the best single candidate as the gate would read it from the log's test prompts, 95 %."""
    evidence = evidence_of(shown, seed)
    expected_NM = prediction.quality_NM
    worth = Judged(
        quality_NM=judged_outcomes(shown.quality_NM, expected_NM, evidence),
        cost_usd_NM=prediction.cost_usd_NM,
        variance_NM=None if evidence.kind == "complete" else stand_in_variance(expected_NM, evidence),
    )
    ours = worth.played("the router", choice_N, shown.group_N)
    theirs = worth.played("the best single candidate", np.full(choice_N.size, single), shown.group_N)
    known_N = ~np.isnan(ours.quality_N) & ~np.isnan(theirs.quality_N)
    return ours.take(known_N).above(theirs.take(known_N)).interval(0.025)


def learn(log: Board, seed: int) -> Learnt:
    """The router of a log, trained quickly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learn_router(log, np.arange(len(log.quality_NM)), CONFIG, seed)


def choices(learnt: Learnt, test: Board, seed: int) -> tuple[NDArray[np.intp], str, NDArray[np.intp], Prediction]:
    """Choices of `best` on the test prompts; the operating policy as a retrain chooses it, and its choices; beliefs.

    As in a published router, candidates without outcomes on a task aren't chosen there.
    """
    prediction = learnt.trained.model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    supported_NM = (counts(learnt.seen) > 0)[prediction.task_N]
    prediction = replace(prediction, supported_NM=None if supported_NM.all() else supported_NM)
    model, held, seen = learnt.trained.model, learnt.trained.two.held, learnt.seen
    fallback = int(model.fallback)
    expected_NM = model.cost.cost_usd(seen.features_NF, seen.input_tokens_N, held.task_N)
    judged = judge_learning(seen, held, expected_NM, seed)
    found = operate(held, seen, judged, expected_NM, fallback, asked=None, config=CONFIG.stages.router, seed=seed)
    operating_N = decide(prediction, policy_of(found.chosen), fallback=fallback).candidate_N
    best_N = router_scores(prediction, fallback).argmax(axis=1)
    return best_N, found.chosen.text(), operating_N, prediction


def _best(board: Board) -> int:
    learning = board.take(board.rows(*LEARNING))
    return int(learning.quality_NM.mean(axis=0).argmax())

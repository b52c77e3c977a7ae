"""A router trained with and without one candidate, and the candidate brought back with few probes. N prompts."""

import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.collecting.probes import ProbeConfig, draw_probes
from components.learning.newcomer import NewcomerProbes, add_candidate
from components.learning.router import LEARNING, learn_router
from components.tables.board import Board
from flows.stations.blocks import Block
from pointsman.model.guard import router_scores
from pointsman.model.router_model import RouterModel
from tests.benchmarks.one_answer_case import CONFIG
from tests.benchmarks.one_answer_logs import board_of_vectors, divided
from tests.benchmarks.simulated_board import SIMULATED, simulated_board
from tests.benchmarks.table import Cell

PROBES = (25, 50, 100, 200, 400)
DRAWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A block in one division, and the candidate that is left out."""

    block: Block
    seed: int
    newcomer: int | None
    """Its column; None: a training with everybody."""


def figures(case: Case, data: Path, vectors: Path) -> dict[str, Cell]:
    """The quality of choices on test prompts, policy `best`."""
    board = board_for(case.block, case.seed, data, vectors)
    test = board.take(board.rows("test"))
    head: dict[str, Cell] = {"block": case.block.name, "seed": case.seed}
    if case.newcomer is None:
        return head | {"newcomer": "", "quality": _quality(_trained(board, case.seed), test)}
    others = np.delete(np.arange(len(board.models)), case.newcomer)
    model = _trained(board.keep(others), case.seed)
    row = head | {"newcomer": board.models[case.newcomer], "quality": _quality(model, test.keep(others))}
    return row | _brought_back(model, board, test, case.newcomer, others)


def _brought_back(
    model: RouterModel, board: Board, test: Board, newcomer: int, others: NDArray[np.intp]
) -> dict[str, Cell]:
    order, row = np.append(others, newcomer), dict[str, Cell]()
    before_N = _choices(model, test.keep(others))
    learning = board.take(board.rows(*LEARNING))
    label_N = np.unique(learning.benchmark_N, return_inverse=True)[1].astype(np.int32)
    open_N1 = np.ones((label_N.size, 1), dtype=bool)
    changed, seconds = 0, 0.0
    for count in PROBES:
        found = []
        for draw in range(DRAWS):
            seed = 1000 * newcomer + draw
            rows_K = draw_probes(open_N1, label_N, min(count, label_N.size), None, ProbeConfig(), seed).prompt_K
            start = time.perf_counter()
            grown = add_candidate(model, probes_of(learning, rows_K, newcomer))
            seconds = max(seconds, time.perf_counter() - start)
            after_N = _choices(grown, test.keep(order))
            found.append(float(test.keep(order).quality_NM[np.arange(after_N.size), after_N].mean()))
            changed += int(((after_N != before_N) & (after_N != len(others))).sum())
        row[f"with {count}"] = float(np.mean(found))
    return row | {"changed": changed, "seconds": seconds}


@lru_cache(maxsize=2)
def board_for(block: Block, seed: int, data: Path, vectors: Path) -> Board:
    """A block's complete board in one division; `simulated` is a world of its own for each seed."""
    if block.name == SIMULATED:
        return simulated_board(seed)[0]
    return divided(*board_of_vectors(data, block, vectors), seed)


def probes_of(board: Board, rows_K: NDArray[np.intp], newcomer: int) -> NewcomerProbes:
    """What is seen of a candidate on some prompts of a board."""
    others = np.delete(np.arange(len(board.models)), newcomer)
    return NewcomerProbes(
        features_KF=board.features_NF[rows_K],
        quality_K=board.quality_NM[rows_K, newcomer],
        others_KM=board.quality_NM[np.ix_(rows_K, others)],
        weight_K=np.ones(rows_K.size),
        input_tokens_K=board.input_tokens_N[rows_K],
        output_tokens_K=board.output_tokens_NM[rows_K, newcomer],
        cost_usd_K=board.cost_usd_NM[rows_K, newcomer],
        input_usd_per_mtok=float(board.input_usd_per_mtok_M[newcomer]),
        output_usd_per_mtok=float(board.output_usd_per_mtok_M[newcomer]),
    )


def _trained(board: Board, seed: int) -> RouterModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learn_router(board, np.arange(len(board.quality_NM)), CONFIG, seed).trained.model


def _choices(model: RouterModel, test: Board) -> NDArray[np.intp]:
    prediction = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    return np.asarray(router_scores(prediction, int(model.fallback)).argmax(axis=1))


def _quality(model: RouterModel, test: Board) -> float:
    choice_N = _choices(model, test)
    return float(test.quality_NM[np.arange(choice_N.size), choice_N].mean())

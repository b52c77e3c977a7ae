"""A candidate left out of training and brought back with few probes, against a training with it from the beginning."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.learning.newcomer import NewcomerProbes, add_candidate
from components.learning.router import LEARNING, Learnt, learn_router
from components.tables.board import Board
from flows.stations.blocks import Block
from pointsman.model.guard import router_scores
from pointsman.model.router_model import RouterModel
from tests.benchmarks.one_answer import BLOCKS, CONFIG
from tests.benchmarks.one_answer_logs import complete_board, divided
from tests.benchmarks.routing import Skipped
from tests.benchmarks.table import Cell, Table

PROBES = (25, 50, 100, 200, 400)
_BLOCKS = ("pareto", "frontier-quality", "llmrouter")
_DRAWS = 5


def run(data: Path, cache: Path, *, blocks: tuple[str, ...] = ()) -> Table:
    """Every block, candidate and number of probes.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    chosen = [block for block in BLOCKS if block.name in (blocks or _BLOCKS)]
    missing = [block.folder for block in chosen if not (data / block.folder).is_dir()]
    if missing:
        raise Skipped(f"no {data / missing[0]}: name a folder that holds the standard blocks by --logs")
    rows: list[dict[str, Cell]] = []
    for block in chosen:
        for row in block_rows(data, block, cache):
            rows.append(row)
            print(row, flush=True)
    regrets = {count: [float(row[f"regret {count}"] or 0) for row in rows] for count in PROBES}
    return Table(
        name="onboarding",
        claim=(
            "Each candidate left out of training and brought back with evenly drawn probes (mean of draws): quality "
            "of the choices on test prompts, policy `best`. Without it, with a full training, and how much less than "
            "that with so many probes. Changed: decisions between other candidates that differ, at 200 probes."
        ),
        rows=rows,
        summary={
            **{f"mean regret with {count} probes": float(np.mean(values)) for count, values in regrets.items()},
            "greatest regret with 200 probes": max(regrets[200]),
            "slowest, seconds": max(float(row["seconds"] or 0) for row in rows),
        },
    )


def block_rows(data: Path, block: Block, cache: Path) -> Iterator[dict[str, Cell]]:
    """One row a candidate."""
    board = divided(*complete_board(data, block, cache), 0)
    test = board.take(board.rows("test"))
    everybody = _learnt(board)
    full = _quality(everybody.trained.model, test)
    for newcomer in range(len(board.models)):
        others = np.delete(np.arange(len(board.models)), newcomer)
        model = _learnt(board.keep(others)).trained.model
        before_N = _choices(model, test.keep(others))
        row: dict[str, Cell] = {
            "block": block.name,
            "newcomer": board.models[newcomer],
            "without": _quality(model, test.keep(others)),
            "full": full,
        }
        order = np.append(others, newcomer)
        changed, seconds = 0, 0.0
        for count in PROBES:
            found = []
            for draw in range(_DRAWS):
                rows_K = np.random.default_rng([draw, newcomer]).permutation(board.rows(*LEARNING))[:count]
                start = time.perf_counter()
                grown = add_candidate(model, probes_of(board, rows_K, newcomer))
                seconds = max(seconds, time.perf_counter() - start)
                found.append(_quality(grown, test.keep(order)))
                if count == 200:
                    after_N = _choices(grown, test.keep(order))
                    changed += int(((after_N != before_N) & (after_N != len(others))).sum())
            row[f"regret {count}"] = full - float(np.mean(found))
        yield row | {"changed": changed, "seconds": seconds}


def probes_of(board: Board, rows_K: NDArray[np.intp], newcomer: int) -> NewcomerProbes:
    """What is seen of a candidate on some prompts of a board."""
    others = np.delete(np.arange(len(board.models)), newcomer)
    return NewcomerProbes(
        features_KF=board.features_NF[rows_K],
        quality_K=board.quality_NM[rows_K, newcomer],
        others_KM=board.quality_NM[np.ix_(rows_K, others)],
        weight_K=np.ones(rows_K.size),
        output_tokens_K=board.output_tokens_NM[rows_K, newcomer],
        cost_usd_K=board.cost_usd_NM[rows_K, newcomer],
        input_usd_per_mtok=float(board.input_usd_per_mtok_M[newcomer]),
        output_usd_per_mtok=float(board.output_usd_per_mtok_M[newcomer]),
    )


def _learnt(board: Board) -> Learnt:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learn_router(board, np.arange(len(board.quality_NM)), CONFIG, 0)


def _choices(model: RouterModel, test: Board) -> NDArray[np.intp]:
    prediction = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    return np.asarray(router_scores(prediction, int(model.fallback)).argmax(axis=1))


def _quality(model: RouterModel, test: Board) -> float:
    choice_N = _choices(model, test)
    return float(test.quality_NM[np.arange(choice_N.size), choice_N].mean())

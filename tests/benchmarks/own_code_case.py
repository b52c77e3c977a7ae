"""One division of a block: our router, peers' own code, and our reimplementations of them, on the same test prompts.

Shapes: N prompts to learn from, K test prompts, M candidates.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.baselines import best_single, graph_router, kmeans_table, knn, matrix_factorisation, mlp
from components.baselines.graph_router import GraphConfig
from components.baselines.knn import KnnConfig
from components.baselines.matrix_factorisation import FactorConfig
from components.baselines.methods import METHODS, fit_predict
from components.baselines.mlp import MlpConfig
from components.baselines.protocol import Fit
from components.evaluation.metrics import hull
from components.learning.router import LEARNING
from components.tables.board import Board
from pointsman.model.guard import router_scores
from tests.benchmarks.one_answer_case import choices, learn
from tests.benchmarks.one_answer_logs import board_of_vectors, divided
from tests.benchmarks.own_code_judged import Case, Floats, Judged
from tests.benchmarks.peer_process import PEERS, peer_choices

ROUTER, OF_TWO = "router", "router, of the two"
TWO = "routellm"
"""The peer that knows two candidates only."""
REIMPLEMENTED: Mapping[str, tuple[str, Fit]] = {
    "llmrouter_lib: kNN": ("knn5", partial(knn.fit, config=KnnConfig(neighbours=5))),
    "llmrouter_lib: MLP": ("mlp", partial(mlp.fit, config=MlpConfig(hidden=128))),
    "llmrouter_lib: MF": ("matrix_factorisation", partial(matrix_factorisation.fit, config=FactorConfig(rank=128))),
    "llmrouter_lib: Elo": ("best_single", best_single.fit),
    "llmrouter_lib: graph": ("graph_router", partial(graph_router.fit, config=GraphConfig(hidden=64))),
    "avengers_pro: alpha 1": ("kmeans60", kmeans_table.fit),
    "routellm: MF": (
        "matrix_factorisation, of the two",
        partial(matrix_factorisation.fit, config=FactorConfig(rank=128)),
    ),
}
"""A peer's method, in whichever order and scale -> ours in its configuration, trained on the same vectors."""
AS_COMPARED = ("knn100", "kmeans60", "mlp", "matrix_factorisation", "graph_router")
"""What `compare` runs under these names, on our features and in its own configuration."""


def judge(case: Case, data: Path, vectors: Path, pythons: Mapping[str, Path]) -> Judged:
    """Trains everything on the learning splits of one division, complete grades, and asks about its test prompts.

    Raises:
        RuntimeError: a peer failed.
    """
    board = divided(*board_of_vectors(data, case.block, vectors), case.seed)
    return judge_board(case, board, pythons)


def judge_board(case: Case, board: Board, pythons: Mapping[str, Path], scripts: Path = PEERS) -> Judged:
    """The same of a board with splits and features.

    Args:
        case: what it is.
        board: complete outcomes.
        pythons: peer -> the interpreter of its environment.
        scripts: the folder of the peers' folders.

    Raises:
        RuntimeError: a peer failed.
    """
    learning, test = board.take(board.rows(*LEARNING)), board.take(board.rows("test"))
    learnt = learn(board, case.seed)
    best_K, policy, operating_K, prediction = choices(learnt, test, case.seed)
    pair = strong_and_weak(learning)
    score_KM = router_scores(prediction, int(learnt.trained.model.fallback))
    chosen = {
        ROUTER: best_K,
        f"{ROUTER}, operating policy": operating_K,
        OF_TWO: np.array(pair)[score_KM[:, list(pair)].argmax(axis=1)],
    }
    for name, python in pythons.items():
        found = peer_choices(
            python,
            scripts / name / "learn.py",
            features_ND=learning.embedding_ND,
            quality_NM=learning.quality_NM,
            cost_usd_NM=learning.cost_usd_NM,
            test_KD=test.embedding_ND,
            pair_2=np.array(pair),
            seed=np.array(case.seed),
        )
        chosen |= {f"{name}: {method}": np.array(column_K) for method, column_K in found.items()}
    chosen |= _reimplemented(learning, test, pair, case.seed)
    place_K = np.arange(len(test.quality_NM))
    names = [str(learning.model_M[column]) for column in pair]
    return Judged(
        case=case,
        group_K=test.group_N,
        quality={method: test.quality_NM[place_K, column_K] for method, column_K in chosen.items()},
        cost_usd={method: test.cost_usd_NM[place_K, column_K] for method, column_K in chosen.items()},
        note=f"the two are {names[0]} and {names[1]}; operating policy {policy}",
    )


def strong_and_weak(learning: Board) -> tuple[int, int]:
    """Columns of the best candidate on average, and of the best that costs at most half as much on average.

    The second lies on the hull of quality over cost where one there costs so little; where costs aren't known, it is
    the second best.
    """
    quality_M = learning.quality_NM.mean(axis=0)
    strong = int(quality_M.argmax())
    known_NM = np.isfinite(learning.cost_usd_NM)
    others = [column for column in range(quality_M.size) if column != strong]
    if known_NM.any(axis=0).all():
        cost_M = np.where(known_NM, learning.cost_usd_NM, 0).sum(axis=0) / known_NM.sum(axis=0)
        cheap = [column for column in others if cost_M[column] <= cost_M[strong] / 2]
        others = [column for column in cheap if column in on_hull(cost_M, quality_M)] or cheap or others
    return strong, max(others, key=lambda column: float(quality_M[column]))


def on_hull(cost_M: Floats, quality_M: Floats) -> list[int]:
    """Candidates that no mix of two others beats at their cost.

    >>> on_hull(np.array([1.0, 2.0, 3.0, 2.5]), np.array([0.0, 0.9, 1.0, 0.5]))
    [0, 1, 2]
    """
    points = set(zip(*hull(cost_M, quality_M), strict=True))
    return [column for column, point in enumerate(zip(cost_M, quality_M, strict=True)) if point in points]


def reimplementation(method: str) -> str | None:
    """What stands for a peer's method among ours; None: nothing.

    >>> reimplementation("llmrouter_lib: kNN, best first")
    'ours: knn5'
    """
    found = REIMPLEMENTED.get(method.removesuffix(", scaled").removesuffix(", best first"))
    return f"ours: {found[0]}" if found else None


def _reimplemented(learning: Board, test: Board, pair: tuple[int, int], seed: int) -> dict[str, NDArray[np.intp]]:
    """Choices of our reimplementations: in the peers' configurations on vectors alone, and as `compare` has them."""
    bare, asked = (replace(board, features_NF=board.embedding_ND) for board in (learning, test))
    chosen = {}
    for name, fit in REIMPLEMENTED.values():
        columns = np.array(pair) if name.endswith("of the two") else np.arange(learning.quality_NM.shape[1])
        found_K = fit_predict(fit, bare.keep(columns), asked.keep(columns), seed).argmax(axis=1)
        chosen[f"ours: {name}"] = columns[found_K]
    for name in AS_COMPARED:
        chosen[f"ours, as compare runs it: {name}"] = fit_predict(METHODS[name], learning, test, seed).argmax(axis=1)
    return chosen

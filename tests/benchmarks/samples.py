"""What learning from samples costs where all could be used: each sample cut to a tenth, on worlds of known truth.

Shapes: N prompts, M candidates.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from components.baselines.clusters import cluster
from components.evaluation.paired import difference
from components.learning.router import LearnConfig, learn_router
from components.tables.board import Board
from pointsman.policy.policy import Best, decide
from tests.benchmarks.processes import as_they_come
from tests.benchmarks.simulated_board import simulated_board
from tests.benchmarks.table import Cell, Table

PROMPTS = 10_000
LESS = 700
"""Prompts of each sample: a tenth of the training prompts."""
_ALL = LearnConfig()
_TASKS = replace(_ALL, discovery=replace(_ALL.discovery, sample=LESS))
_CLASSIFIER = replace(_ALL, stages=replace(_ALL.stages, classifier=replace(_ALL.stages.classifier, rows=LESS)))
_HEADS = replace(_ALL, stages=replace(_ALL.stages, experts=replace(_ALL.stages.experts, rows=LESS)))
_EVERY = LearnConfig(
    discovery=_TASKS.discovery,
    stages=replace(_CLASSIFIER.stages, experts=_HEADS.stages.experts),
)


def _centres() -> AbstractContextManager[Any]:
    return patch("components.baselines.hierarchical.cluster", partial(cluster, sample=LESS))


def _lengths() -> AbstractContextManager[Any]:
    return patch("components.baselines.linear._MOST", LESS)


VARIANTS: dict[str, tuple[LearnConfig, tuple[Callable[[], AbstractContextManager[Any]], ...]]] = {
    "all prompts": (_ALL, ()),
    "tasks": (_TASKS, ()),
    "centres of clusters": (_ALL, (_centres,)),
    "classifier": (_CLASSIFIER, ()),
    "heads": (_HEADS, ()),
    "expected lengths of answers": (_ALL, (_lengths,)),
    "all of these": (_EVERY, (_centres, _lengths)),
}


def run(*, seeds: int = 1, prompts: int = PROMPTS, workers: int = 1) -> Table:
    """Every variant on every world.

    Args:
        seeds: worlds, >= 1.
        prompts: of each, one answer each.
        workers: processes.
    """
    arguments = [(name, seed, prompts) for seed in range(seeds) for name in VARIANTS]
    found = {arguments[place][:2]: got_N for place, got_N in as_they_come(worth, arguments, workers)}
    whole_N = np.concatenate([found["all prompts", seed] for seed in range(seeds)])
    rows: list[dict[str, Cell]] = []
    for name in VARIANTS:
        got_N = np.concatenate([found[name, seed] for seed in range(seeds)])
        row: dict[str, Cell] = {"from a sample": name, "quality": float(got_N.mean())}
        if name != "all prompts":
            less = difference(whole_N, got_N).interval(0.025)
            row |= {"costs": less.mean, "low": less.low, "high": less.high}
        rows.append(row)
    return Table(
        name="samples",
        claim=(
            f"Routers that learnt from {prompts:,} simulated prompts with one answer each, worlds: {seeds}. The true "
            f"worth of what `best` chooses on test prompts where one step reads {LESS} prompts at most, a tenth of the "
            "training prompts, and what that costs against a step that reads all, with its 95 % interval over prompts."
        ),
        rows=rows,
        summary={},
    )


def worth(name: str, seed: int, prompts: int) -> NDArray[np.float64]:
    """True worth of the router's choice on each test prompt, shape (N,)."""
    board, chance_NM = one_answer(seed, prompts)
    config, cuts = VARIANTS[name]
    with ExitStack() as cutting:
        for cut in cuts:
            cutting.enter_context(cut())
        learnt = learn_router(board, board.rows("train", "validation"), config, seed)
    test_K = board.rows("test")
    model, test = learnt.trained.model, board.take(test_K)
    believed = model.predict(test.features_NF, test.embedding_ND, test.input_tokens_N)
    choice_K = decide(believed, Best(), fallback=int(model.fallback)).candidate_N
    return np.asarray(chance_NM[test_K, choice_K])


def one_answer(seed: int, prompts: int) -> tuple[Board, NDArray[np.float64]]:
    """A world's board with one graded answer a prompt, half of them by one candidate, and all true chances."""
    board, chance_NM = simulated_board(seed, prompts)
    generator = np.random.default_rng((seed, 771))
    candidates = chance_NM.shape[1]
    asked_N = np.where(generator.random(prompts) < 0.5, candidates - 1, generator.integers(0, candidates, prompts))
    logged_NM = np.arange(candidates) == asked_N[:, None]
    hidden = {name: np.where(logged_NM, getattr(board, name), np.nan) for name in ("quality_NM", "cost_usd_NM")}
    return replace(board, **hidden, answered_NM=logged_NM), chance_NM

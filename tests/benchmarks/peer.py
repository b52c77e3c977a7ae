"""ParetoBandit (LinUCB) beside our router: one pass over the same prompts, one answer each, then frozen on test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from components.learning.router import LEARNING
from components.tables.board import Board
from tests.benchmarks.one_answer_case import Case, choices, learn
from tests.benchmarks.one_answer_logs import board_of_vectors, divided, thinned
from tests.benchmarks.peer_process import peer_choices
from tests.benchmarks.routing import Skipped
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table

STREAM = Path(__file__).parent / "peers" / "paretobandit" / "stream.py"


def run(spread: Spread, *, python: Path | None) -> Table:
    """Every block and seed.

    Args:
        spread: usually all blocks.
        python: of the peer's own environment, see its requirements.txt; None: there is none.

    Raises:
        Skipped: no blocks, or no environment of the peer.
    """
    if python is None:
        raise Skipped(f"no environment of the peer: {STREAM.parent / 'requirements.txt'} says how, then --peer PYTHON")
    found = [block for block in spread.encoded() if block.name != SIMULATED]
    cases = [Case(block=block, logging="uniform", seed=seed) for seed in range(spread.seeds) for block in found]
    rows = spread.rows(figures, cases, python)
    order = [block.name for block in found]
    rows.sort(key=lambda row: (order.index(str(row["block"])), int(row["seed"] or 0)))
    gains = {
        name: [float(row["ours"] or 0) - float(row["peer"] or 0) for row in rows if row["block"] == name]
        for name in order
    }
    return Table(
        name="peer",
        claim=(
            "One pass over the prompts of training and validation, only the asked candidate's grade revealed, then "
            "frozen on the test prompts. Peer: paretobandit 0.1.1 asks whom it likes (LinUCB on 25 principal "
            "components, the package's settings for a cold start; with and without forgetting, the better of the two "
            "on test is shown). Ours: the router of a uniform log of the same prompts, quick training. Quality: policy "
            "`best` against the peer without cost penalty; cost: the operating policy against the peer's default "
            "penalty. USD per 1,000 prompts."
        ),
        rows=rows,
        summary={f"{name}: ours less the peer": float(np.mean(gain)) for name, gain in gains.items()},
    )


def figures(case: Case, data: Path, vectors: Path, python: Path) -> dict[str, Cell]:
    """The case's row: both routers' quality and cost on the test prompts."""
    whole, tokens, vocabulary = board_of_vectors(data, case.block, vectors)
    board = divided(whole, tokens, vocabulary, case.seed)
    test = board.take(board.rows("test"))
    learnt = learn(thinned(board, case.logging, case.seed), case.seed)
    best_N, policy, operating_N, _ = choices(learnt, test, case.seed)
    theirs = _peer(board, test, case.seed, python)
    quality = {name: _worth(test, choice_N)[0] for name, choice_N in theirs.items()}
    free, priced = (max((n for n in theirs if n.startswith(k)), key=lambda n: quality[n]) for k in ("quality", "cost"))
    ours, our_cost = _worth(test, best_N)
    cheap, cheap_cost = _worth(test, operating_N)
    peer, peer_cost = _worth(test, theirs[free])
    thrifty, thrifty_cost = _worth(test, theirs[priced])
    return {
        "block": case.block.name,
        "seed": case.seed,
        "best single": float(test.quality_NM[:, int(learnt.trained.model.fallback)].mean()),
        "ours": ours,
        "peer": peer,
        "our cost": our_cost,
        "peer's cost": peer_cost,
        "our policy": policy,
        "ours, operating": cheap,
        "peer, penalty": thrifty,
        "our cost, operating": cheap_cost,
        "peer's cost, penalty": thrifty_cost,
    }


def _worth(test: Board, choice_N: Sequence[int] | np.ndarray) -> tuple[float, float]:
    place = np.arange(len(test.quality_NM)), np.asarray(choice_N)
    return float(test.quality_NM[place].mean()), float(1000 * test.cost_usd_NM[place].mean())


def _peer(board: Board, test: Board, seed: int, python: Path) -> dict[str, list[int]]:
    """Setting -> the peer's choices on the test prompts."""
    order = np.random.default_rng(seed).permutation(board.rows(*LEARNING))
    return peer_choices(
        python,
        STREAM,
        features_ND=board.embedding_ND[order],
        reward_NM=board.quality_NM[order],
        test_KD=test.embedding_ND,
        input_usd_M=np.nan_to_num(board.input_usd_per_mtok_M),
        output_usd_M=np.nan_to_num(board.output_usd_per_mtok_M),
        seed=np.array(seed),
    )

"""ParetoBandit's regret for a candidate that comes later, on what our router is shown. N prompts, M candidates."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.collecting.probes import ProbeConfig, draw_probes
from components.learning.router import LEARNING
from components.tables.board import Board
from flows.stations.blocks import Block
from tests.benchmarks.onboarding_case import DRAWS, PROBES, board_for
from tests.benchmarks.peer_process import peer_choices
from tests.benchmarks.table import Cell

SWAP = Path(__file__).parent / "peers" / "paretobandit" / "swap.py"


def peer_figures(block: Block, seed: int, data: Path, vectors: Path, python: Path) -> dict[str, Cell]:
    """Mean over candidates and draws: how much less than with everybody from the beginning, by number of probes."""
    board = board_for(block, seed, data, vectors)
    learning, test = board.take(board.rows(*LEARNING)), board.take(board.rows("test"))
    label_N = np.unique(learning.benchmark_N, return_inverse=True)[1].astype(np.int32)
    regret_DMC = np.array([_regrets(learning, test, label_N, draw, seed, python) for draw in range(DRAWS)])
    mean_C = regret_DMC.mean(axis=(0, 1)).tolist()
    return {f"peer's regret {count}": mean for count, mean in zip(PROBES, mean_C, strict=True)}


def _regrets(
    learning: Board, test: Board, label_N: NDArray[np.int32], draw: int, seed: int, python: Path
) -> NDArray[np.float64]:
    """By newcomer and number of probes, shape (M, C)."""
    candidates, most = len(learning.models), min(max(PROBES), label_N.size)
    open_N1 = np.ones((label_N.size, 1), dtype=bool)
    drawn = [
        draw_probes(open_N1, label_N, most, None, ProbeConfig(), 1000 * newcomer + draw).prompt_K
        for newcomer in range(candidates)
    ]
    order = np.random.default_rng(draw)
    found = peer_choices(
        python,
        SWAP,
        features_ND=learning.embedding_ND,
        reward_NM=learning.quality_NM,
        test_KD=test.embedding_ND,
        input_usd_M=np.nan_to_num(learning.input_usd_per_mtok_M),
        output_usd_M=np.nan_to_num(learning.output_usd_per_mtok_M),
        # the first of them are as even over the labels as all are
        probe_MP=np.stack([order.permutation(rows_K)[:most] for rows_K in drawn]),
        count_C=np.array(PROBES),
        seed=np.array(seed),
    )
    worth = {
        name: float(test.quality_NM[np.arange(len(choice_N)), choice_N].mean()) for name, choice_N in found.items()
    }
    return np.array(
        [[worth["full"] - worth[f"{newcomer} with {count}"] for count in PROBES] for newcomer in range(candidates)]
    )

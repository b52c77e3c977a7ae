"""How much of the outcomes could be read from prompts at all, by prompts that are nearly the same.

Outcomes are noisy, and each was drawn once: what no router can learn can't be told from what this one hasn't learnt.
Prompts that are nearly the same tell it: where even a prompt's twin says little of how candidates fare on it, nothing
that reads both alike will say more.
"""

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.limits_case import agreement, by_label, parts, twins
from tests.benchmarks.one_answer_logs import sentence_encoder
from tests.benchmarks.parity import words_board
from tests.benchmarks.table import Cell, Table

FEWEST = 30
"""Pairs that a figure needs."""


def run(data: Path, cache: Path, *, blocks: Sequence[str] = ()) -> Table:
    """Every block.

    Args:
        data: folder of the standard blocks.
        cache: where the tokenizer is exported to.
        blocks: names; none: all.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    sentence_encoder(cache)
    rows: list[dict[str, Cell]] = []
    for block in chosen_blocks(data, blocks):
        board, _ = words_board(data, block, cache)
        shared_N1, departure_NM = parts(board.quality_NM)
        first_P, second_P = twins(board.group_N)
        row: dict[str, Cell] = {"block": block.name, "prompts": len(departure_NM), "pairs of twins": int(first_P.size)}
        for name, value in (("difficulty", shared_N1), ("which candidate", departure_NM)):
            by_twin, error = agreement(value, first_P, second_P) if first_P.size >= FEWEST else (None, None)
            row |= {
                f"{name}: twins": by_twin,
                f"{name}: error": error,
                f"{name}: label": by_label(value, board.benchmark_N),
            }
        rows.append(row)
    return Table(
        name="limits",
        claim=(
            "Shares of the variance of outcomes. Difficulty: a prompt's mean over candidates. Which candidate: what "
            "each candidate departs from that, which alone matters to a choice. Twins: the correlation of prompts "
            "whose words are nearly the same (cosine above .95), with its standard error: about what could be read "
            "from the text at all. Label: what the logs' own label explains."
        ),
        rows=rows,
        summary={},
    )

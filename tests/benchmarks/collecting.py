"""Answers bought as `collect` chooses them against answers to evenly drawn prompts, at equal cost."""

from collections.abc import Mapping, Sequence

import numpy as np

from tests.benchmarks.collecting_case import Case, figures
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table

PROMPTS = (100, 300)


def run(spread: Spread) -> Table:
    """Every block, division and size of purchase.

    Args:
        spread: usually the standard blocks and pareto.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    chosen = spread.encoded()
    cases = [
        Case(block=block, seed=seed, prompts=prompts)
        for seed in range(spread.seeds)
        for block in chosen
        for prompts in PROMPTS
    ]
    rows = spread.rows(figures, cases)
    return table_of(rows)


def table_of(rows: Sequence[Mapping[str, Cell]]) -> Table:
    """What was bought for the same money, side by side."""
    shown = [
        _shown(row) for row in sorted(rows, key=lambda r: (str(r["block"]), int(r["prompts"] or 0), str(r["seed"])))
    ]
    fewer = [float(row["fewer answers, gain"] or 0) for row in shown]
    blocks = sorted({str(row["block"]) for row in shown})
    each = {
        block: float(np.mean([f for f, row in zip(fewer, shown, strict=True) if row["block"] == block]))
        for block in blocks
    }
    return Table(
        name="collecting",
        claim=(
            "A router of a log of one answer a prompt (uniform), and what is bought: answers of all candidates to "
            "evenly drawn prompts, against what `collect` chooses for the same money. Error: standard error of the "
            "router's gain over the best single candidate, by what was bought alone, and how often 95 % intervals hold "
            "the truth. Fewer answers: share of the even purchase's answers that are saved for the same interval of "
            "the gain, and of the relative cost. Quality: on test prompts, policy `best`, of a router trained on the "
            "log with what was bought."
        ),
        rows=shown,
        summary={
            **{f"fewer answers for the same interval of the gain, {block}": each[block] for block in blocks},
            "blocks with 25 % fewer": f"{sum(share >= 0.25 for share in each.values())} of {len(blocks)}",
            "mean difference in quality": float(np.mean([float(row["quality difference"] or 0) for row in shown])),
            "worst difference in quality": min(float(row["quality difference"] or 0) for row in shown),
        },
    )


def _shown(row: Mapping[str, Cell]) -> dict[str, Cell]:
    """One row of the table."""
    found: dict[str, Cell] = {name: row[name] for name in ("block", "prompts", "seed")}
    for name in ("answers", "gain error", "gain covered"):
        found |= {f"{name}, {way}": row[f"{name}, {way}"] for way in ("even", "chosen")}
    found["fewer answers, gain"] = _fewer(row, "gain")
    found["fewer answers, savings"] = _fewer(row, "savings") if "savings error, even" in row else None
    found["quality, even"] = row["quality, even"]
    found["quality difference"] = float(row["quality, chosen"] or 0) - float(row["quality, even"] or 0)
    return found


def _fewer(row: Mapping[str, Cell], name: str) -> float:
    """Share of the answers that choosing saves at the same interval: errors fall with the root of the answers."""
    even, chosen = (float(row[f"{name} error, {way}"] or 0) for way in ("even", "chosen"))
    answers = float(row["answers, chosen"] or 0) / float(row["answers, even"] or 1)
    return 1 - answers * (chosen / even) ** 2 if even > 0 else 0.0

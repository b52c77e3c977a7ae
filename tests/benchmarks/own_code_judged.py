"""What methods got on one division's test prompts, kept in a file between runs. Shapes: K test prompts."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flows.stations.blocks import Block

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A division of a block."""

    block: Block
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """What every method got on one division's test prompts."""

    case: Case
    group_K: NDArray[np.int32]
    """Near-duplicates; the same prompt has the same group in each division."""
    quality: Mapping[str, Floats]
    """Method -> quality of what it chose, shape (K,)."""
    cost_usd: Mapping[str, Floats]
    """The same in USD; nan where unknown."""
    note: str
    """The two candidates, and the router's operating policy."""

    @property
    def name(self) -> str:
        """Block and seed."""
        return f"{self.case.block.name}, seed {self.case.seed}"


def keep(file: Path, one: Judged) -> None:
    """Adds it to what the file holds."""
    row = {
        "block": one.case.block.name,
        "seed": one.case.seed,
        "note": one.note,
        "group": one.group_K.tolist(),
        "quality": {method: got_K.tolist() for method, got_K in one.quality.items()},
        "cost_usd": {method: got_K.tolist() for method, got_K in one.cost_usd.items()},
    }
    rows = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    file.write_text(json.dumps([*rows, row]), encoding="utf-8")


def kept(file: Path, cases: Iterable[Case]) -> dict[Case, Judged]:
    """Those of the cases that the file holds; none where there is no file.

    Raises:
        ValueError: it holds something else.
    """
    if not file.exists():
        return {}
    asked = {(case.block.name, case.seed): case for case in cases}
    try:
        rows = [row for row in json.loads(file.read_text(encoding="utf-8")) if (row["block"], row["seed"]) in asked]
        found = [
            Judged(
                case=asked[row["block"], row["seed"]],
                group_K=np.array(row["group"], dtype=np.int32),
                quality={method: np.array(got) for method, got in row["quality"].items()},
                cost_usd={method: np.array(got) for method, got in row["cost_usd"].items()},
                note=row["note"],
            )
            for row in rows
        ]
    except (KeyError, TypeError, AttributeError) as reason:
        raise ValueError(f"{file} holds no rows of own_code: name another by --json") from reason
    return {one.case: one for one in found}

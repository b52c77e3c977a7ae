"""The blocks of real logs that benchmarks read."""

from collections.abc import Sequence
from pathlib import Path

from flows.stations.blocks import STANDARD, Block
from tests.benchmarks.routing import Skipped

BLOCKS = (*STANDARD[:4], Block(name="pareto", folder="pareto"))
DATED = STANDARD[4]
"""Read where it is named: of a benchmark whose prompts have dates."""


def chosen_blocks(data: Path, names: Sequence[str] = ()) -> list[Block]:
    """The blocks of these names, in a fixed order; all but the dated one where there are none.

    Raises:
        Skipped: a block's folder isn't there.
    """
    chosen = [block for block in (*BLOCKS, DATED) if block.name in (names or [usual.name for usual in BLOCKS])]
    missing = [block.folder for block in chosen if not (data / block.folder).is_dir()]
    if missing:
        raise Skipped(f"no {data / missing[0]}: name a folder that holds the standard blocks by --logs")
    return chosen

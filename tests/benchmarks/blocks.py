"""The blocks of real logs that benchmarks read."""

from collections.abc import Sequence
from pathlib import Path

from flows.stations.blocks import STANDARD, Block
from tests.benchmarks.routing import Skipped

BLOCKS = (*STANDARD[:4], Block(name="pareto", folder="pareto"))


def chosen_blocks(data: Path, names: Sequence[str] = ()) -> list[Block]:
    """The blocks of these names, all where there are none.

    Raises:
        Skipped: a block's folder isn't there.
    """
    chosen = [block for block in BLOCKS if not names or block.name in names]
    missing = [block.folder for block in chosen if not (data / block.folder).is_dir()]
    if missing:
        raise Skipped(f"no {data / missing[0]}: name a folder that holds the standard blocks by --logs")
    return chosen

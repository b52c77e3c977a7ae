"""How a benchmark is spread over blocks, divisions and processes: what four of them take."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.stations.blocks import Block
from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.processes import rows_as_they_come
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.table import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Which blocks a benchmark reads, how often it divides each, and in how many processes it computes."""

    data: Path
    """Folder of the standard blocks."""
    cache: Path
    """Where the encoder is exported to."""
    blocks: tuple[str, ...] = ()
    """Names; none: the benchmark's own choice. `simulated` draws a world for each seed."""
    seeds: int = 2
    """Divisions of each block, >= 1."""
    workers: int = 1
    """Processes, of one thread each, >= 1."""
    vectors: Path | None = None
    """Folder of the prompts' vectors, made where it lacks some; None: below the cache."""
    out: Path | None = None
    """JSON file of the rows, written anew after each: what is there when time is over stays; None: none."""

    def encoded(self, usual: Sequence[str] = ()) -> list[Block]:
        """The chosen blocks, whose prompts have vectors from now on.

        Args:
            usual: names where none are chosen; none: all.

        Raises:
            Skipped: a block's folder isn't there.
        """
        # not all benchmarks need what computes vectors
        from tests.benchmarks.one_answer_logs import write_vectors

        found = chosen_blocks(self.data, self.blocks or usual)
        write_vectors(self.data, dict.fromkeys(block.folder for block in found), self.cache, self.stored)
        return [*found, Block(name=SIMULATED)] if SIMULATED in self.blocks else found

    def rows(
        self, figures: Callable[..., dict[str, Cell]], cases: Iterable[object], *more: object
    ) -> list[dict[str, Cell]]:
        """What `figures` makes of each case, the data, the vectors and whatever else it takes."""
        arguments = [(case, self.data, self.stored, *more) for case in cases]
        return rows_as_they_come(figures, arguments, self.workers, self.out)

    @property
    def stored(self) -> Path:
        """Folder of the prompts' vectors."""
        return self.vectors or self.cache / "vectors"

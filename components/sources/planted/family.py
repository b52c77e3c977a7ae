"""What a planted task family is, and the pen its writer draws with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Pen:
    """Seeded choices for writing prompts; a thin face on numpy's generator that takes Python sequences."""

    generator: np.random.Generator

    def one(self, options: Sequence[Item]) -> Item:
        """One option, each equally likely."""
        return options[int(self.generator.integers(len(options)))]

    def some(self, options: Sequence[Item], count: int) -> list[Item]:
        """`count` different options in random order."""
        return [options[int(place)] for place in self.generator.permutation(len(options))[:count]]

    def number(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return int(self.generator.integers(low, high + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One task family: how its prompts read, where logs would file them, how answers are graded."""

    name: str
    benchmark: str
    """The logs' label: several families share one, so it is coarser than the task."""
    write: Callable[[Pen], tuple[str, float]]
    """Draws one prompt and its difficulty in [0, 1]; the difficulty shows in the text (steps, sizes, conditions)."""
    answer_tokens: int
    """Median output tokens of a candidate with verbosity 1 at medium difficulty."""
    graded: bool = False
    """Answers get partial credit, a value in [0, 1]; otherwise right or wrong."""
    subject: str | None = None
    """Subject the logs give; None: the logs have none."""
    dated: bool = False
    """The logs know the day of each prompt."""


def scale(value: float, low: float, high: float) -> float:
    """Where `value` stands between `low` and `high`, clipped to [0, 1].

    >>> scale(3, 1, 5)
    0.5
    """
    return min(max((value - low) / (high - low), 0.0), 1.0)

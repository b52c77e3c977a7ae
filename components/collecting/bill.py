"""What a purchase will cost, before it is made. Shapes: K cells, M candidates."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.asking.question import Price

BYTES_PER_TOKEN = 4.0
USUAL_OUTPUT_TOKENS = 300.0
"""Of an answer, where nothing was observed of any candidate."""
FEWEST = 5
"""Answers of a candidate below which its length is taken from the others'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One candidate's part of the bill."""

    model: str
    answers: int
    input_tokens: float
    output_tokens: float
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A purchase's expected cost."""

    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """Of all candidates."""
        return sum(line.usd for line in self.lines)

    @property
    def answers(self) -> int:
        """Of all candidates."""
        return sum(line.answers for line in self.lines)

    def __str__(self) -> str:
        """A table, one candidate a line.

        >>> print(Bill(lines=(Line(model="m", answers=2, input_tokens=10, output_tokens=600, usd=0.006),)))
        candidate  answers  input tokens  output tokens     USD
        m                2            10            600  0.0060
        all              2                               0.0060
        """
        width = max([9, *(len(line.model) for line in self.lines)])
        rows = [f"{'candidate':{width}}  answers  input tokens  output tokens     USD"]
        rows += [
            f"{x.model:{width}}  {x.answers:7,}  {x.input_tokens:12,.0f}  {x.output_tokens:13,.0f}  {x.usd:6.4f}"
            for x in self.lines
        ]
        rows.append(f"{'all':{width}}  {self.answers:7,}  {'':12}  {'':13}  {self.usd:6.4f}")
        return "\n".join(rows)


def usual_output_tokens(outcomes: pl.DataFrame, models: list[str]) -> NDArray[np.float64]:
    """Mean length of each candidate's answers, shape (M,); all candidates' where it has fewer than five.

    Args:
        outcomes: model, output_tokens (may be null).
        models: M names.
    """
    known = outcomes.drop_nulls("output_tokens")
    everywhere = float(known["output_tokens"].mean() or USUAL_OUTPUT_TOKENS)  # type: ignore[arg-type]
    means = known.group_by("model").agg(pl.col("output_tokens").mean().alias("mean"), pl.len())
    found = {model: mean for model, mean, count in means.iter_rows() if count >= FEWEST}
    return np.array([found.get(model, everywhere) for model in models])


def estimate(
    prompts: list[str], models: list[str], prices: Mapping[str, Price], output_tokens: Mapping[str, float]
) -> Bill:
    """The bill of K calls.

    Args:
        prompts: text of each call, K.
        models: candidate of each call, K.
        prices: of every candidate.
        output_tokens: usual length of each candidate's answers.
    """
    calls = pl.DataFrame({"model": models, "bytes": [len(prompt.encode()) for prompt in prompts]})
    lines = []
    for (model,), part in calls.group_by("model", maintain_order=True):
        name, given = str(model), float(part["bytes"].sum()) / BYTES_PER_TOKEN
        taken = part.height * output_tokens[name]
        usd = prices[name].usd(given, taken)
        lines.append(Line(model=name, answers=part.height, input_tokens=given, output_tokens=taken, usd=usd))
    return Bill(lines=tuple(sorted(lines, key=lambda line: -line.usd)))

"""Expected costs folded for evaluation. `CostHead.cost_usd` is the definition; this is the same in fewer passes.

Shapes: T tasks and the row of prompts without one, which index -1 reads; M candidates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.model.cost import TOKENS_PER_MTOK, CostHead, CostSource

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FoldedCosts:
    """Expected USD of each candidate."""

    low_M: Floats
    high_M: Floats
    input_usd_M: Floats
    output_usd_M: Floats
    priced_M: NDArray[np.bool_]
    priced: int
    """Candidates of which tokens and prices are known."""

    def usd(self, log_tokens: Singles, input_usd: Floats, bias: Floats, usd: Floats, mean: Floats) -> Floats:
        """Of one prompt or many, shape (..., M); nan: unknown.

        Args:
            log_tokens: what the features say of log1p(output tokens).
            input_usd: price of the prompt itself.
            bias: what the task says of log tokens.
            usd: USD of exp(log tokens): smearing times the output price.
            mean: mean logged USD, where nothing better is known.
        """
        if not self.priced:
            return mean
        held = bias + log_tokens
        np.maximum(held, self.low_M, out=held)
        np.minimum(held, self.high_M, out=held)
        np.exp(held, out=held)
        held *= usd
        held -= self.output_usd_M
        np.maximum(held, 0, out=held)
        held += input_usd
        return held if self.priced == self.priced_M.size else np.where(self.priced_M, held, mean)


def fold_costs(cost: CostHead) -> FoldedCosts:
    """What doesn't go with a prompt's task."""
    priced_M = cost.source_M >= CostSource.ASSUMED_TOKENS
    return FoldedCosts(
        low_M=cost.low_M,
        high_M=cost.high_M,
        input_usd_M=cost.input_usd_per_mtok_M / TOKENS_PER_MTOK,
        output_usd_M=cost.output_usd_per_mtok_M / TOKENS_PER_MTOK,
        priced_M=priced_M,
        priced=int(priced_M.sum()),
    )


def cost_tables(cost: CostHead) -> tuple[Floats, Floats, Floats]:
    """What goes with a prompt's task: the arguments bias, usd and mean of `FoldedCosts.usd`, shape (T + 1, M) each."""
    return (
        with_none(cost.task_TM, 0) + cost.bias_M,
        with_none(cost.smear_TM, cost.smear_M) * cost.output_usd_per_mtok_M / TOKENS_PER_MTOK,
        with_none(cost.mean_cost_TM, cost.mean_cost_M),
    )


def with_none(table_TM: NDArray[np.floating], otherwise: Floats | float) -> Floats:
    """A table, and the row of prompts without a task."""
    return np.concatenate([table_TM, np.broadcast_to(otherwise, (1, table_TM.shape[1]))])

"""Asking another candidate now and then, with a known probability, so that the log can say what it would have done.

Shapes: N prompts, M candidates.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorationConfig:
    """How often, and among whom."""

    rate: float = 0.0
    """Probability that a decision is drawn among the plausible candidates, in [0, 1)."""
    quality_gap: float = 0.1
    """A plausible candidate's predicted quality is at most so far below the best eligible one's, in [0, 1]."""
    cost_ratio: float = 10.0
    """Its expected cost is at most so many times that of the choice, >= 1."""
    usd_per_1000: float = float("inf")
    """What exploration may add to the expected cost of a thousand decisions, >= 0."""
    opted_out: frozenset[str] = frozenset()
    """Tenants that are never explored on."""

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"the exploration rate must be in [0, 1), got {self.rate}")
        if not 0 <= self.quality_gap <= 1:
            raise ValueError(f"quality_gap must be in [0, 1], got {self.quality_gap}")
        if not self.cost_ratio >= 1:
            raise ValueError(f"cost_ratio must be >= 1, got {self.cost_ratio}")
        if not self.usd_per_1000 >= 0:
            raise ValueError(f"the cost of exploration per 1000 decisions must be >= 0 USD, got {self.usd_per_1000}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explored:
    """Choices after exploration."""

    choice_N: NDArray[np.intp]
    propensity_NM: Floats
    """The exact probability of each candidate; rows sum to 1."""

    @property
    def propensity_N(self) -> Floats:
        """Of what was chosen, in (0, 1]."""
        return self.propensity_NM[np.arange(self.choice_N.size), self.choice_N]


def plausible(
    choice_N: NDArray[np.intp],
    quality_NM: Floats,
    cost_usd_NM: Floats,
    eligible_NM: NDArray[np.bool_],
    config: ExplorationConfig,
) -> NDArray[np.bool_]:
    """Who may be drawn: eligible, nearly as good as the best, not far above the choice's cost; always the choice.

    A candidate of unknown cost is drawn only where the choice's is unknown as well. Shape (N, M).
    """
    rows_N = np.arange(choice_N.size)
    best_N1 = np.where(eligible_NM, quality_NM, -np.inf).max(axis=1, keepdims=True)
    chosen_N1 = cost_usd_NM[rows_N, choice_N][:, None]
    with np.errstate(invalid="ignore"):
        affordable_NM = (cost_usd_NM <= config.cost_ratio * chosen_N1) | np.isnan(chosen_N1)
    found_NM = eligible_NM & (best_N1 - quality_NM <= config.quality_gap) & affordable_NM
    found_NM[rows_N, choice_N] = True
    return np.asarray(found_NM, dtype=np.bool_)


def extra_cost(choice_N: NDArray[np.intp], cost_usd_NM: Floats, plausible_NM: NDArray[np.bool_]) -> Floats:
    """What one draw adds to the expected cost, USD, never below 0: savings of exploration aren't spent. Shape (N,)."""
    above_NM = np.nan_to_num(cost_usd_NM - cost_usd_NM[np.arange(choice_N.size), choice_N][:, None])
    drawn_NM = np.where(plausible_NM, np.maximum(above_NM, 0), 0)
    return np.asarray(drawn_NM.sum(axis=1) / plausible_NM.sum(axis=1), dtype=np.float64)


def explore(
    choice_N: NDArray[np.intp], plausible_NM: NDArray[np.bool_], rate_N: Floats, decision_ids: list[str]
) -> Explored:
    """With probability rate_N a uniform draw among the plausible, else the choice.

    The randomness is the decision's id: the same id, rate and candidates always give the same decision.

    Args:
        choice_N: what the policy chose.
        plausible_NM: who may be drawn, the choice among them.
        rate_N: in [0, 1).
        decision_ids: N texts.

    >>> drawn = explore(np.array([0]), np.array([[True, True]]), np.array([0.5]), ["a"])
    >>> drawn.propensity_NM.tolist()
    [[0.75, 0.25]]
    """
    rows_N = np.arange(choice_N.size)
    propensity_NM = rate_N[:, None] * plausible_NM / plausible_NM.sum(axis=1, keepdims=True)
    propensity_NM[rows_N, choice_N] += 1 - rate_N
    drawn_N = np.array([unit(decision_id) for decision_id in decision_ids], dtype=np.float64)
    # the choice first, so that a draw of nothing is the choice
    other_NM = propensity_NM.copy()
    other_NM[rows_N, choice_N] = 0
    above_N = drawn_N - propensity_NM[rows_N, choice_N]
    picked_N = (np.cumsum(other_NM, axis=1) > above_N[:, None]).argmax(axis=1)
    stays_N = (above_N < 0) | (other_NM.sum(axis=1) <= above_N)
    return Explored(choice_N=np.where(stays_N, choice_N, picked_N), propensity_NM=propensity_NM)


def unit(text: str) -> float:
    """A number in [0, 1) that the text settles."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48


class Allowance:
    """Holds the expected cost of exploration to a sum per thousand decisions, by lowering the rate beforehand.

    The rate is settled before the draw, so the logged propensities stay exact. Not for several threads at a time.
    """

    def __init__(self, config: ExplorationConfig) -> None:
        self._each = config.usd_per_1000 / 1000
        self._rate = config.rate
        self._saved = 0.0

    def rates(self, extra_N: Floats) -> Floats:
        """The rate of each decision, given what a draw would add to its cost, USD; shape (N,)."""
        if self._each == float("inf"):
            return np.full(extra_N.shape, self._rate)
        rates = []
        for extra in extra_N.tolist():
            # at most a thousand decisions' worth is saved up
            self._saved = min(self._saved + self._each, 1000 * self._each)
            rate = self._rate if extra <= 0 else min(self._rate, self._saved / extra)
            self._saved -= rate * extra
            rates.append(rate)
        return np.array(rates)

"""Asking another candidate now and then, with a known probability, so that the log can say what it would have done.

Shapes: N prompts, M candidates.
"""

import hashlib
from collections.abc import Sequence
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
    """A plausible candidate's predicted quality is at most so far below the choice's, in [0, 1]."""
    standard_errors: float = 1.64
    """Or so many standard errors of the difference, by the outcomes behind both: what can't be told apart, >= 0."""
    widest_gap: float = 0.3
    """However few outcomes there are, the gap is at most so wide, in [0, 1]; at least quality_gap."""
    cost_ratio: float = 10.0
    """Its expected cost is at most so many times that of the choice, or that of the best single candidate, >= 1."""
    usd_per_1000: float = float("inf")
    """What exploration may add to the expected cost of a thousand decisions, >= 0."""
    opted_out: frozenset[str] = frozenset()
    """Tenants that are never explored on."""

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ValueError(f"the exploration rate must be in [0, 1), got {self.rate}")
        if not 0 <= self.quality_gap <= 1:
            raise ValueError(f"quality_gap must be in [0, 1], got {self.quality_gap}")
        if not self.standard_errors >= 0:
            raise ValueError(f"standard_errors must be >= 0, got {self.standard_errors}")
        if not 0 <= self.widest_gap <= 1:
            raise ValueError(f"widest_gap must be in [0, 1], got {self.widest_gap}")
        if not self.cost_ratio >= 1:
            raise ValueError(f"cost_ratio must be >= 1, got {self.cost_ratio}")
        if not self.usd_per_1000 >= 0:
            raise ValueError(f"the cost of exploration per 1000 decisions must be >= 0 USD, got {self.usd_per_1000}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explored:
    """Choices after exploration, and how they came about."""

    choice_N: NDArray[np.intp]
    proposed_N: NDArray[np.intp]
    """What the policy, or the session, chose."""
    plausible_NM: NDArray[np.bool_] | None
    """Who might have been drawn; None: nobody else than what was proposed."""
    rate_N: Floats
    """Probability of a draw."""
    propensity_N: Floats
    """Of what was chosen, exact, in (0, 1]."""

    def propensity_NM(self, candidates: int) -> Floats:
        """The exact probability of each candidate, shape (N, M); rows sum to 1."""
        return propensities([self], candidates)


def propensities(explored: Sequence[Explored], candidates: int) -> Floats:
    """The exact probability of each candidate, of several batches end to end, shape (N, M)."""
    proposed_N = np.concatenate([one.proposed_N for one in explored])
    rate_N = np.concatenate([one.rate_N for one in explored])
    # where nobody is drawn the rate is 0, and so is everybody's share of it
    masks = [
        np.ones((one.proposed_N.size, candidates), dtype=np.bool_) if one.plausible_NM is None else one.plausible_NM
        for one in explored
    ]
    plausible_NM = np.concatenate(masks)
    found_NM = rate_N[:, None] * plausible_NM / plausible_NM.sum(axis=1, keepdims=True)
    found_NM[np.arange(proposed_N.size), proposed_N] += 1 - rate_N
    return np.asarray(found_NM, dtype=np.float64)


def certain(choice_N: NDArray[np.intp]) -> Explored:
    """Choices without a draw."""
    return Explored(
        choice_N=choice_N,
        proposed_N=choice_N,
        plausible_NM=None,
        rate_N=np.zeros(choice_N.size),
        propensity_N=np.ones(choice_N.size),
    )


def gaps(outcomes_TM: NDArray[np.int64], config: ExplorationConfig) -> Floats:
    """How far below a choice a candidate's predicted quality may be and still be plausible, shape (T, M, M).

    At least quality_gap, and as many standard errors of the difference as the configuration says, by the outcomes that
    both rest on: a mean of n values in [0, 1] has a variance of at most 1 / (4 n).

    Args:
        outcomes_TM: counts on each task, T tasks.
        config: how many standard errors, between which bounds.

    Returns:
        By task, choice and candidate.

    >>> config = ExplorationConfig(quality_gap=0.1, standard_errors=2, widest_gap=0.3)
    >>> gaps(np.array([[50, 50, 0]]), config)[0, 0].tolist()
    [0.2, 0.2, 0.3]
    """
    variance_TM = 0.25 / np.maximum(outcomes_TM, 1)
    error_TMM = np.sqrt(variance_TM[:, :, None] + variance_TM[:, None, :])
    return np.maximum(np.minimum(config.standard_errors * error_TMM, config.widest_gap), config.quality_gap)


def plausible(
    choice_N: NDArray[np.intp],
    quality_NM: Floats,
    cost_usd_NM: Floats,
    eligible_NM: NDArray[np.bool_] | None,
    *,
    gap_NM: Floats | float,
    cost_ratio: float,
    ceiling_usd_N: Floats,
) -> NDArray[np.bool_]:
    """Who may be drawn: eligible, nearly as good as the choice, not far above its cost; always the choice itself.

    A candidate of unknown cost is drawn only where the choice's is unknown as well. Shape (N, M).

    Args:
        choice_N: what the policy chose.
        quality_NM: predicted quality.
        cost_usd_NM: expected cost, nan: unknown.
        eligible_NM: who may be chosen; None: all.
        gap_NM: by how much less quality is predicted of a plausible candidate at most, see `gaps`.
        cost_ratio: a plausible candidate costs at most so many times as much as the choice, >= 1,
        ceiling_usd_N: or at most so much, such as the best single candidate's cost; nan: unknown.
    """
    rows_N = np.arange(choice_N.size)
    chosen_N = cost_usd_NM[rows_N, choice_N]
    found_NM = quality_NM >= quality_NM[rows_N, choice_N][:, None] - gap_NM
    found_NM &= cost_usd_NM <= np.fmax(cost_ratio * chosen_N, ceiling_usd_N)[:, None]
    unknown_N = np.isnan(chosen_N)
    if unknown_N.any():
        found_NM |= unknown_N[:, None] & (quality_NM >= quality_NM[rows_N, choice_N][:, None] - gap_NM)
    if eligible_NM is not None:
        found_NM &= eligible_NM
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
    >>> drawn.propensity_NM(2).tolist()
    [[0.75, 0.25]]
    """
    each_N = rate_N / plausible_NM.sum(axis=1)
    # as the matrix of propensities adds it up
    stays_N = (1 - rate_N) + each_N
    drawn_N = np.array([unit(decision_id) for decision_id in decision_ids], dtype=np.float64)
    picked_N, propensity_N = choice_N, stays_N
    rows = np.flatnonzero(drawn_N >= stays_N)
    if rows.size:
        picked_N, propensity_N = choice_N.copy(), stays_N.copy()
        other_KM = plausible_NM[rows].copy()
        other_KM[np.arange(rows.size), choice_N[rows]] = False
        above_K = drawn_N[rows] - stays_N[rows]
        passed_KM = np.cumsum(other_KM * each_N[rows, None], axis=1) > above_K[:, None]
        # rounding may leave a draw past the last one, and a lone choice has no other
        found_K = passed_KM.any(axis=1)
        picked_N[rows[found_K]] = passed_KM[found_K].argmax(axis=1)
        propensity_N[rows[found_K]] = each_N[rows[found_K]]
    return Explored(
        choice_N=picked_N,
        proposed_N=choice_N,
        plausible_NM=plausible_NM,
        rate_N=rate_N,
        propensity_N=propensity_N,
    )


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

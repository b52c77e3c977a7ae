"""The value of a policy and the difference of two, with intervals and what they rest on. Shapes: N prompts."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval, intervals
from components.evaluation.off_policy.estimators import (
    ESTIMATORS,
    Estimator,
    Log,
    effective_sample_size,
    terms,
)
from components.evaluation.off_policy.sensitivity import sensitivity
from components.tables.groups import design_effect

GAMMA = 1.5
"""Factor by which the sensitivity figure takes the odds of a logged choice to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One estimate with two intervals of the same nominal level."""

    value: float
    standard_error: float
    normal: Interval
    bootstrap: Interval
    """Percentile interval over prompts; for a ratio, of its linear terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValue:
    """What a policy would have been worth on the logged prompts."""

    estimates: Mapping[Estimator, Estimate]
    """Left out: those that can't be worked out, direct and doubly robust where a choice has no prediction."""
    prompts: int
    effective_sample_size: float
    """Kish's, of the weights at the policy's choices: the prompts themselves on complete logs."""
    observed_share: float
    """Share of prompts on which the policy's choice was observed, in [0, 1]."""
    support: float
    """Share of prompts on which its choice is observed with a probability of at least the floor, in [0, 1]."""
    sensitivity: tuple[float, float]
    """Least and greatest value if the odds of logged choices are wrong by a factor of `gamma`."""
    gamma: float


def estimate(
    term_N: NDArray[np.float64],
    seed: int,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    group_N: NDArray[np.integer] | None = None,
) -> Estimate:
    """The mean of the terms with its intervals; prompts of a group (a conversation) aren't taken for independent.

    Raises:
        ValueError: no prompts, a nan, or a level outside (0, 1).
    """
    bootstrap = intervals(term_N[:, None], seed, resamples=resamples, level=level, group_N=group_N)[0]
    value, size = bootstrap.mean, term_N.size
    error = float(term_N.std(ddof=1)) * (design_effect(term_N, group_N) / size) ** 0.5 if size > 1 else float("inf")
    reach = NormalDist().inv_cdf((1 + level) / 2) * error
    return Estimate(
        value=value,
        standard_error=error,
        normal=Interval(mean=value, low=value - reach, high=value + reach),
        bootstrap=bootstrap,
    )


def policy_value(
    log: Log,
    choice_N: NDArray[np.intp],
    seed: int,
    *,
    gamma: float = GAMMA,
    level: float = 0.95,
    group_N: NDArray[np.integer] | None = None,
) -> PolicyValue:
    """The value of a policy that chooses `choice_N`, by every estimator that can be worked out.

    Args:
        log: outcomes, propensities and predictions.
        choice_N: column that the policy chooses on each prompt.
        seed: of the bootstrap.
        gamma: of the sensitivity figure, >= 1.
        level: of the intervals, in (0, 1).
        group_N: prompts that belong together, such as turns of a conversation; None: all are independent.

    Raises:
        ValueError: not one choice a prompt, gamma < 1, or a level outside (0, 1).
    """
    chosen = log.at(choice_N)
    observed_N = chosen.weight_N > 0
    named = (name for name in ESTIMATORS if observed_N.any() or name != "self_normalised")
    term = {name: terms(log, choice_N, name) for name in named}
    inclusion_N = log.inclusion_NM[np.arange(choice_N.size), choice_N]
    return PolicyValue(
        estimates={
            name: estimate(term_N, seed, level=level, group_N=group_N)
            for name, term_N in term.items()
            if not np.isnan(term_N).any()
        },
        prompts=choice_N.size,
        effective_sample_size=effective_sample_size(chosen.weight_N),
        observed_share=float(observed_N.mean()),
        support=float((np.nan_to_num(inclusion_N) >= log.floor).mean()),
        sensitivity=sensitivity(chosen, gamma),
        gamma=gamma,
    )


def difference(
    log: Log,
    choice_N: NDArray[np.intp],
    other_N: NDArray[np.intp],
    estimator: Estimator,
    seed: int,
    *,
    level: float = 0.95,
    group_N: NDArray[np.integer] | None = None,
) -> Estimate:
    """How much more the first policy is worth than the other, paired by prompt.

    Raises:
        ValueError: not one choice a prompt, or a term is unknown.
    """
    gap_N = terms(log, choice_N, estimator) - terms(log, other_N, estimator)
    return estimate(gap_N, seed, level=level, group_N=group_N)

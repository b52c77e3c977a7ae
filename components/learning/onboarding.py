"""A newcomer judged on its own probes: each chosen for by a router that was grown without it.

Shapes: K probes, M incumbents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.criteria import Criterion, not_worse
from components.evaluation.gate import Word
from components.evaluation.paired import Moments
from components.learning.newcomer import NewcomerProbes, add_candidate
from pointsman.model.router_model import RouterModel

Floats = NDArray[np.float64]
Choices = NDArray[np.intp]
Choose = Callable[[RouterModel, NDArray[np.intp]], Choices]
"""Choices of a router on some of the probes, under the operating policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardConfig:
    """What a newcomer must clear."""

    margin: float = 0.01
    """Quality by which the interval against the router in service may reach below 0, >= 0."""
    level: float = 0.05
    """One-sided error probability, in (0, 0.5]."""
    folds: int = 5
    """>= 2."""

    def __post_init__(self) -> None:
        if not self.margin >= 0 or not 0 < self.level <= 0.5 or self.folds < 2:
            raise ValueError(f"margin >= 0, level in (0, 0.5], folds >= 2; got {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Onboarded:
    """What the newcomer is worth to the router, by probes that it was fitted without."""

    gain: Moments
    """Quality of the choices with it less that without it."""
    share: float
    """Share of the traffic that it would get."""
    mean: float
    """Its own mean quality on the probes."""

    def criterion(self, config: OnboardConfig) -> Criterion:
        """Whether the router is no worse for it."""
        name, rival = "not worse than the router in service", "the router in service"
        return not_worse(name, rival, self.gain, config.margin, config.level)

    def verdict(self, config: OnboardConfig) -> Word:
        """promoted: no worse within the margin; not enough evidence: more probes would tell; else refused."""
        found = self.criterion(config)
        if found.passed:
            return "promoted"
        return "refused" if found.needed is None else "not enough evidence"


def judge_newcomer(
    model: RouterModel, probes: NewcomerProbes, choose: Choose, config: OnboardConfig, seed: int
) -> Onboarded:
    """The gain of a router with the newcomer over the one in service.

    What the other candidate would have been worth counts as observed where it was, else as the router predicts.

    Args:
        model: in service.
        probes: graded answers of the newcomer.
        choose: choices of a router.
        config: folds and level.
        seed: of the folds.

    Raises:
        ValueError: too few probes to fit on four fifths of them.
    """
    count = probes.quality_K.size
    fold_K = np.random.default_rng(seed).permutation(count) % config.folds
    before_K = choose(model, np.arange(count))
    expected_KM = model.calibration.apply(_mixed(model, probes.features_KF))
    worth_KM = np.where(np.isfinite(probes.others_KM), probes.others_KM, expected_KM)
    gain_K, taken_K = np.zeros(count), np.zeros(count)
    newcomer = model.general_quality_M.size
    for fold in range(config.folds):
        held = np.flatnonzero(fold_K == fold)
        grown = add_candidate(model, probes.take(np.flatnonzero(fold_K != fold)))
        after = choose(grown, held)
        own = after == newcomer
        # choices between the others stay as they were: only those of the newcomer gain or lose
        old = worth_KM[held, before_K[held]]
        new = np.where(own, probes.quality_K[held], worth_KM[held, np.minimum(after, newcomer - 1)])
        gain_K[held], taken_K[held] = new - old, own
    mean, error = _weighted(gain_K, probes.weight_K)
    return Onboarded(
        gain=Moments(mean=mean, error=error, count=count),
        share=float(np.average(taken_K, weights=probes.weight_K)),
        mean=float(np.average(probes.quality_K, weights=probes.weight_K)),
    )


def _mixed(model: RouterModel, features_KF: NDArray[np.float32]) -> Floats:
    alpha = float(model.alpha)
    return alpha * model.prompt_level(features_KF) + (1 - alpha) * model.stage_one(features_KF)


def _weighted(value_K: Floats, weight_K: Floats) -> tuple[float, float]:
    """Mean and standard error, as if one prompt more had gone each way wherever any choice changed."""
    mean = float(np.average(value_K, weights=weight_K))
    if not value_K.any():
        return 0.0, 0.0
    share_K = weight_K / weight_K.sum()
    spread = float((share_K**2 * (value_K - mean) ** 2).sum())
    return mean, float(np.sqrt(spread + 2 * share_K.mean() ** 2 * float((value_K**2).max())))

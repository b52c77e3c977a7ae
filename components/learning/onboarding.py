"""A newcomer judged on its own probes: each chosen for by a router that was grown without it.

Shapes: K probes, M incumbents.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evaluation.criteria import Criterion, few_groups, not_worse
from components.evaluation.gate import Word
from components.evaluation.paired import Moments
from components.learning.newcomer import LEAST, NewcomerProbes, add_candidate
from components.tables.groups import design_effect, group_count
from components.tables.units import dealt, units
from pointsman.model.router_model import RouterModel

Floats = NDArray[np.float64]
Choices = NDArray[np.intp]
Choose = Callable[[RouterModel, NDArray[np.intp]], Choices]
"""Choices of a router on some of the probes, under the operating policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnboardConfig:
    """What a newcomer must clear."""

    margin: float = 0.01
    """Quality by which the interval against the router in service may reach below 0, in [0, 1]."""
    level: float = 0.05
    """One-sided error probability, in (0, 0.5]."""
    folds: int = 5
    """>= 2."""
    least_groups: int = 20
    """Conversations and groups of near-duplicates below which there isn't enough evidence, >= 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 1 or not 0 < self.level <= 0.5 or self.folds < 2 or self.least_groups < 1:
            raise ValueError(f"margin in [0, 1], level in (0, 0.5], folds >= 2, least_groups >= 1; got {self}")


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
        """Whether the router is no worse for it, if the probes are of conversations enough to tell."""
        advice = "Grade answers in more conversations"
        few = few_groups("probes", self.gain.count, self.gain.groups, config.least_groups, advice)
        if few is not None:
            return few
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

    What the other candidate would have been worth counts as observed where it was, else as the router predicts. Turns
    of one conversation, and near-duplicates, are never on both sides of a fold that a verdict rests on.

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
    fold_K = _folds(probes, config.folds, seed)
    before_K = choose(model, np.arange(count))
    expected_KM = model.calibration.apply(_mixed(model, probes.features_KF))
    worth_KM = np.where(np.isfinite(probes.others_KM), probes.others_KM, expected_KM)
    gain_K, taken_K = np.zeros(count), np.zeros(count)
    newcomer = model.general_quality_M.size
    for fold in np.unique(fold_K):
        held = np.flatnonzero(fold_K == fold)
        grown = add_candidate(model, probes.take(np.flatnonzero(fold_K != fold)))
        after = choose(grown, held)
        own = after == newcomer
        # choices between the others stay as they were: only those of the newcomer gain or lose
        old = worth_KM[held, before_K[held]]
        new = np.where(own, probes.quality_K[held], worth_KM[held, np.minimum(after, newcomer - 1)])
        gain_K[held], taken_K[held] = new - old, own
    mean, error = _weighted(gain_K, probes.weight_K, probes.group_K)
    return Onboarded(
        gain=Moments(mean=mean, error=error, count=count, groups=group_count(probes.group_K)),
        share=float(np.average(taken_K, weights=probes.weight_K)),
        mean=float(np.average(probes.quality_K, weights=probes.weight_K)),
    )


def _mixed(model: RouterModel, features_KF: NDArray[np.float32]) -> Floats:
    alpha = float(model.alpha)
    return alpha * model.prompt_level(features_KF) + (1 - alpha) * model.stage_one(features_KF)


def _folds(probes: NewcomerProbes, folds: int, seed: int) -> NDArray[np.intp]:
    """Fold of each probe; groups stay whole, unless that leaves a fold too little to fit on."""
    count = probes.quality_K.size
    if probes.group_K is not None:
        fold_K = dealt(units(probes.group_K), folds, seed)
        # of so few groups no verdict is given but that they don't tell
        if count - np.bincount(fold_K).max() >= LEAST:
            return fold_K
    return dealt(np.arange(count), folds, seed)


def _weighted(value_K: Floats, weight_K: Floats, group_K: NDArray[np.int32] | None) -> tuple[float, float]:
    """Mean and standard error, as if one prompt more had gone each way wherever any choice changed."""
    mean = float(np.average(value_K, weights=weight_K))
    if not value_K.any():
        return 0.0, 0.0
    share_K = weight_K / weight_K.sum()
    away_K = share_K * (value_K - mean)
    spread = float((share_K**2 * (value_K - mean) ** 2).sum())
    alone = np.sqrt(spread + 2 * share_K.mean() ** 2 * float((value_K**2).max()))
    return mean, float(alone * np.sqrt(design_effect(away_K, group_K)))

"""Whether a challenger is published: conditions are data, declared before the run; refusal is a normal outcome.

What is judged is the operating policy, on prompts that neither its parts nor its choice have seen. Shapes: N prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval
from components.evaluation.criteria import Criterion, affordable, not_worse, points, worth_it
from components.evaluation.error_budget import look_level
from components.evaluation.latency import rounded_up
from components.evaluation.paired import Moments, difference, ratio

Floats = NDArray[np.float64]
Word = Literal["promoted", "refused", "not enough evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """What a challenger must clear."""

    parity_margin: float = 0.01
    """Quality in [0, 1] by which the interval against the best single candidate may reach below 0."""
    champion_margin: float = 0.01
    """The same against the router in service, and against the first one of the year."""
    least_savings: float = 0.05
    """Share of the best single candidate's cost that counts as a saving, in [0, 1)."""
    greatest_cost_ratio: float = 2.0
    """Cost relative to the best single candidate's that better quality may take, >= 1."""
    champion_cost_ratio: float = 1.1
    """Cost relative to the champion's that a challenger no better than it may take, >= 1."""
    weekly_error: float = 0.05
    """Probability of a wrong verdict against the best single candidate or the champion, one-sided, in (0, 0.5]."""
    yearly_error: float = 0.05
    """Probability that a year's promotions lead below the first champion's margin, in (0, 1); see error_budget."""
    least_prompts: int = 100
    """Prompts below which there isn't enough evidence, whatever they say, >= 1."""
    least_share: float = 0.2
    """The same as a share of the prompts that were to be judged, in [0, 1]."""
    most_more: float = 3.0
    """Times as many prompts as there are that may be asked for before a verdict is 'refused', >= 0."""
    calibration_error: float = 0.10
    """Greatest expected calibration error, in [0, 1]."""
    leave_one_out_floor: float = -0.05
    """Mean gain over the best single candidate on benchmarks not trained on, each counting the same, in [-1, 1]."""
    latency_ms: float = 250.0
    """Greatest milliseconds of processor time per prompt, one at a time, > 0."""

    def __post_init__(self) -> None:
        for name in ("parity_margin", "champion_margin", "least_share", "calibration_error"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        if not 0 <= self.least_savings < 1:
            raise ValueError(f"least_savings must be in [0, 1), got {self.least_savings}")
        if not min(self.greatest_cost_ratio, self.champion_cost_ratio) >= 1:
            raise ValueError("greatest_cost_ratio and champion_cost_ratio must be >= 1")
        if not 0 < self.weekly_error <= 0.5:
            raise ValueError(f"weekly_error must be in (0, 0.5], got {self.weekly_error}")
        look_level(1, self.yearly_error)
        if self.least_prompts < 1 or not self.most_more >= 0:
            raise ValueError(f"least_prompts must be >= 1 and most_more >= 0, got {self}")
        if not -1 <= self.leave_one_out_floor <= 1:
            raise ValueError(f"leave_one_out_floor must be in [-1, 1], got {self.leave_one_out_floor}")
        if not 0 < self.latency_ms < float("inf"):
            raise ValueError(f"latency_ms must be > 0 and finite, got {self.latency_ms}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Played:
    """What one way to choose got on the judged prompts, in their order."""

    name: str
    """In words, as in "better than NAME"."""
    quality_N: Floats
    """Of its choices: observed, or pseudo-outcomes; nan: it can't be judged on that prompt."""
    cost_usd_N: Floats | None = None
    """USD of its choices; None, or a nan anywhere: unknown."""
    group_N: NDArray[np.integer] | None = None
    """Prompts that belong together, such as turns of a conversation: they aren't independent. None: all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's word: promoted only if every condition is met."""

    verdict: Word
    criteria: tuple[Criterion, ...]
    anchor_looks: int = 0
    """Comparisons with the first champion that this verdict has used: 0 or 1."""

    def as_dict(self) -> dict[str, Any]:
        """As report.json holds it."""
        return {
            "verdict": self.verdict,
            "criteria": [criterion.as_dict() for criterion in self.criteria],
            "anchor_looks": self.anchor_looks,
        }


def judge(
    *,
    challenger: Played,
    best_single: Played,
    calibration_error: float,
    self_check: bool,
    champion: Played | None = None,
    anchor: Played | None = None,
    looks: int = 0,
    controls: Mapping[str, tuple[Floats, Floats]] | None = None,
    leave_one_out: Mapping[str, Interval] | None = None,
    latency_ms: float | None = None,
    wanted_prompts: int | None = None,
    effective_prompts: float | None = None,
    extra: tuple[Criterion, ...] = (),
    config: GateConfig | None = None,
) -> Verdict:
    """Judges what a challenger's operating policy got, prompt by prompt.

    Args:
        challenger: its operating policy; quality known on every prompt.
        best_single: always the best single candidate of the training prompts.
        calibration_error: expected calibration error of the challenger's predictions.
        self_check: whether the bundle made its golden decisions again.
        champion: the router in service at its operating policy; None: there is none.
        anchor: the first champion of the year; None: there is none, or it is the challenger's only champion.
        looks: comparisons with the anchor that this year has seen already.
        controls: name -> quality of the router's choices at `best` and of a control's, such as random features.
        leave_one_out: benchmark -> gain over the best single candidate without having trained on it. Their mean is
            judged, each benchmark counting the same: the least of many would fall below any floor by chance.
        latency_ms: milliseconds per prompt, listed rounded up to fifths of the budget; None: not measured, not judged.
        wanted_prompts: how many there would be if all could be judged; None: as many as there are.
        effective_prompts: effective sample size of pseudo-outcomes; None: every outcome was observed.
        extra: conditions that were worked out elsewhere.
        config: the thresholds.

    Raises:
        ValueError: the prompts differ in number, there are none, or a quality of the first two is nan.
    """
    config = config or GateConfig()
    level = config.weekly_error
    count = int(challenger.quality_N.size)
    criteria = [_enough(count, wanted_prompts or count, effective_prompts, config), *extra]
    gain = difference(challenger.quality_N, best_single.quality_N, challenger.group_N)
    paid = _cost(challenger, best_single)
    rival = best_single.name
    criteria += [
        not_worse("no worse than the best single candidate", rival, gain, config.parity_margin, level),
        worth_it(rival, gain, paid, config.least_savings, level),
    ]
    if paid is not None:
        name = "cost against the best single candidate"
        criteria.append(affordable(name, rival, paid, config.greatest_cost_ratio, level))
    if champion is not None:
        criteria += _against_champion(challenger, champion, config)
    criteria.append(_at_most("expected calibration error", calibration_error, config.calibration_error))
    criteria += [
        _control(name, difference(ours_K, theirs_K), level)
        for name, (ours_K, theirs_K) in sorted((controls or {}).items())
    ]
    if leave_one_out:
        criteria.append(_left_out(leave_one_out, config))
    if latency_ms is not None:
        criteria.append(_latency(latency_ms, config))
    criteria.append(
        Criterion(
            name="bundle self-check",
            words="Decides from text as it did from stored features" if self_check else "Decides otherwise from text",
            figure=float(self_check),
            threshold=1.0,
            passed=self_check,
            advice="" if self_check else "The encoder or its features differ: retrain, and report it if it stays.",
        )
    )
    spent = 0
    if anchor is not None and all(criterion.passed for criterion in criteria):
        judged = _judgeable(challenger, anchor)
        if judged is not None:
            spent = 1
            at = look_level(looks + 1, config.yearly_error)
            name = f"no worse than the first champion (look {looks + 1} of the year)"
            criteria.append(not_worse(name, anchor.name, judged, config.champion_margin, at))
    return Verdict(verdict=_word(tuple(criteria), count, config), criteria=tuple(criteria), anchor_looks=spent)


def _word(criteria: tuple[Criterion, ...], count: int, config: GateConfig) -> Word:
    failed = [criterion for criterion in criteria if not criterion.passed]
    if not failed:
        return "promoted"
    if failed[0].name == "evidence":
        return "not enough evidence"
    most = (1 + config.most_more) * count
    open_still = all(criterion.needed is not None and criterion.needed <= most for criterion in failed)
    return "not enough evidence" if open_still else "refused"


def _enough(count: int, wanted: int, effective: float | None, config: GateConfig) -> Criterion:
    judged = min(count, int(effective)) if effective is not None else count
    least = max(config.least_prompts, int(np.ceil(config.least_share * wanted)) if effective is None else 0)
    passed = judged >= least
    worth = "" if effective is None else f", worth {judged:,} complete ones"
    return Criterion(
        name="evidence",
        words=f"Judged on {count:,} of {wanted:,} prompts{worth}; at least {least:,}",
        figure=float(judged),
        threshold=float(least),
        passed=passed,
        advice=""
        if passed
        else f"Log or collect answers of the compared candidates to {least - judged:,} more prompts.",
        needed=None if passed else least,
    )


def _against_champion(challenger: Played, champion: Played, config: GateConfig) -> list[Criterion]:
    judged = _judgeable(challenger, champion)
    name = "no worse than the champion"
    if judged is None or judged.count < config.least_prompts:
        count = 0 if judged is None else judged.count
        return [
            Criterion(
                name=name,
                words=f"Only {count:,} prompts can be compared with {champion.name}; at least {config.least_prompts:,}",
                figure=float(count),
                threshold=float(config.least_prompts),
                passed=False,
                advice="Log new prompts, or answers of the champion's candidates, before replacing it.",
                needed=config.least_prompts,
            )
        ]
    found = [not_worse(name, champion.name, judged, config.champion_margin, config.weekly_error)]
    paid = _cost(challenger, champion)
    if paid is not None:
        better = judged.interval(config.weekly_error).low > 0
        most = config.greatest_cost_ratio if better else config.champion_cost_ratio
        found.append(affordable("cost against the champion", champion.name, paid, most, config.weekly_error))
    return found


def _judgeable(a: Played, b: Played) -> Moments | None:
    """The difference on the prompts on which both are known; None: there are none."""
    both_N = ~np.isnan(a.quality_N) & ~np.isnan(b.quality_N)
    group_N = None if a.group_N is None else a.group_N[both_N]
    return difference(a.quality_N[both_N], b.quality_N[both_N], group_N) if both_N.any() else None


def _cost(a: Played, b: Played) -> Moments | None:
    """Cost of a relative to b's where both are known; None: they aren't, or b costs nothing."""
    if a.cost_usd_N is None or b.cost_usd_N is None:
        return None
    both_N = ~np.isnan(a.quality_N) & ~np.isnan(b.quality_N)
    paid_K, theirs_K = a.cost_usd_N[both_N], b.cost_usd_N[both_N]
    if not both_N.any() or np.isnan(paid_K).any() or np.isnan(theirs_K).any() or not theirs_K.mean() > 0:
        return None
    return ratio(paid_K, theirs_K, None if a.group_N is None else a.group_N[both_N])


def _at_most(name: str, figure: float, threshold: float) -> Criterion:
    passed = bool(figure <= threshold)
    return Criterion(
        name=name,
        words=f"Predicted quality is off by {100 * figure:.1f} points on average; at most {100 * threshold:.1f}",
        figure=figure,
        threshold=threshold,
        passed=passed,
        advice="" if passed else "Predictions can't be trusted as they are: log more outcomes, or look for drift.",
    )


def _control(name: str, lead: Moments, level: float) -> Criterion:
    # A tie isn't a defeat: only a control that is shown to be better speaks against the router.
    found = lead.interval(level)
    passed = found.high >= 0
    return Criterion(
        name=f"control not better: {name}",
        words=f"Quality against a router deprived of its signal ({name}): {points(found)} points; a tie passes",
        figure=found.mean,
        interval=(found.low, found.high),
        threshold=0.0,
        passed=passed,
        advice="" if passed else "What was learnt of prompts does harm: look at labels and graders.",
    )


def _left_out(gains: Mapping[str, Interval], config: GateConfig) -> Criterion:
    worst = min(gains, key=lambda name: gains[name].mean)
    mean = float(np.mean([gain.mean for gain in gains.values()]))
    passed = mean >= config.leave_one_out_floor
    return Criterion(
        name="benchmarks left out of training",
        words=f"Gain on benchmarks left out, mean of {len(gains)} (worst: {worst}): {100 * mean:+.1f} points; "
        f"at least {100 * config.leave_one_out_floor:+.1f}",
        figure=mean,
        threshold=config.leave_one_out_floor,
        passed=passed,
        advice="" if passed else "The router misleads on kinds of prompts that it hasn't seen: log more kinds.",
    )


def _latency(latency_ms: float, config: GateConfig) -> Criterion:
    passed = bool(latency_ms <= config.latency_ms)
    figure = rounded_up(latency_ms, config.latency_ms)
    return Criterion(
        name="milliseconds of processor time per prompt",
        words=f"Less than {figure:g} ms of processor time a prompt (rounded up); at most {config.latency_ms:g}",
        figure=figure,
        threshold=config.latency_ms,
        passed=passed,
        advice="" if passed else "Choose a smaller encoder, or raise the limit.",
    )

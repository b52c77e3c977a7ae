"""Whether a challenger is published: conditions are data, declared before the run; refusal is a normal outcome.

What is judged is the operating policy, on prompts that neither its parts nor its choice have seen. Shapes: N prompts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.evaluation.bootstrap import Interval
from components.evaluation.criteria import (
    Criterion,
    affordable,
    calibrated,
    control,
    decides_again,
    enough,
    few_groups,
    left_out,
    not_worse,
    paid_for,
    quick,
    worth_it,
)
from components.evaluation.error_budget import look_level
from components.evaluation.gate_config import GateConfig
from components.evaluation.paired import Moments, difference, ratio
from components.tables.groups import group_count

Floats = NDArray[np.float64]
_LEAST_KNOWN = 0.95
"""Share of the judged prompts whose costs must be known for them to count: a few unexpected choices may have none."""
Word = Literal["promoted", "refused", "not enough evidence"]


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
    variance_N: Floats | None = None
    """Of each quality as a stand-in for an outcome; None: the outcomes themselves."""

    def take(self, rows_N: NDArray[np.bool_]) -> "Played":
        """The same on some of the prompts."""
        return Played(
            name=self.name,
            quality_N=self.quality_N[rows_N],
            cost_usd_N=None if self.cost_usd_N is None else self.cost_usd_N[rows_N],
            group_N=None if self.group_N is None else self.group_N[rows_N],
            variance_N=None if self.variance_N is None else self.variance_N[rows_N],
        )

    def above(self, other: "Played") -> Moments:
        """The difference in quality on the same prompts, all of which are known of both."""
        own_N, their_N = self.variance_N, other.variance_N
        variance_N = None if own_N is None or their_N is None else own_N + their_N
        return difference(self.quality_N, other.quality_N, self.group_N, variance_N)

    def paid_beside(self, other: "Played") -> Moments | float | None:
        """Cost relative to another's, or USD a prompt where the other costs nothing.

        None: on too few prompts both are known, or neither costs anything.
        """
        if self.cost_usd_N is None or other.cost_usd_N is None:
            return None
        both_N = ~np.isnan(self.quality_N) & ~np.isnan(other.quality_N)
        known_N = both_N & ~np.isnan(self.cost_usd_N) & ~np.isnan(other.cost_usd_N)
        if not known_N.any() or known_N.sum() < _LEAST_KNOWN * both_N.sum():
            return None
        paid_K, theirs_K = self.cost_usd_N[known_N], other.cost_usd_N[known_N]
        if not theirs_K.mean() > 0:
            return float(paid_K.mean()) or None
        return ratio(paid_K, theirs_K, None if self.group_N is None else self.group_N[known_N])


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
    controls: Mapping[str, Moments] | None = None,
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
        controls: name -> quality of the router's choices at `best` less a control's, such as random features.
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
    groups = group_count(challenger.group_N)
    criteria = [_enough(count, wanted_prompts or count, effective_prompts, groups, config), *extra]
    gain = challenger.above(best_single)
    paid = challenger.paid_beside(best_single)
    rival = best_single.name
    criteria += [
        not_worse("no worse than the best single candidate", rival, gain, config.parity_margin, level),
        worth_it(rival, gain, paid, config.least_savings, level),
    ]
    name = "cost against the best single candidate"
    if isinstance(paid, Moments):
        criteria.append(affordable(name, rival, paid, config.greatest_cost_ratio, level))
    elif paid is not None:
        criteria.append(paid_for(name, rival, paid, gain, level))
    if champion is not None:
        criteria += _against_champion(challenger, champion, config)
    criteria.append(calibrated(calibration_error, config.calibration_error))
    criteria += [control(name, lead, level) for name, lead in sorted((controls or {}).items())]
    if leave_one_out:
        criteria.append(left_out(leave_one_out, config.leave_one_out_floor))
    if latency_ms is not None:
        criteria.append(quick(latency_ms, config.latency_ms))
    criteria.append(decides_again(self_check))
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


def _enough(count: int, wanted: int, effective: float | None, groups: int | None, config: GateConfig) -> Criterion:
    advice = "Log or collect answers in more conversations"
    if (few := few_groups("prompts", count, groups, config.least_groups, advice)) is not None:
        return few
    judged = min(count, int(effective)) if effective is not None else count
    least = max(config.least_prompts, int(np.ceil(config.least_share * wanted)) if effective is None else 0)
    worth = "" if effective is None else f", worth {judged:,} complete ones"
    words = f"Judged on {count:,} of {wanted:,} prompts{worth}; at least {least:,}"
    advice = f"Log or collect answers of the compared candidates to {least - judged:,} more prompts."
    return enough("evidence", words, judged, least, advice)


def _against_champion(challenger: Played, champion: Played, config: GateConfig) -> list[Criterion]:
    judged = _judgeable(challenger, champion)
    name = "no worse than the champion"
    if judged is None or judged.count < config.least_prompts:
        count = 0 if judged is None else judged.count
        words = f"Only {count:,} prompts can be compared with {champion.name}; at least {config.least_prompts:,}"
        advice = "Log new prompts, or answers of the champion's candidates, before replacing it."
        return [enough(name, words, count, config.least_prompts, advice)]
    found = [not_worse(name, champion.name, judged, config.champion_margin, config.weekly_error)]
    paid, name = challenger.paid_beside(champion), "cost against the champion"
    if isinstance(paid, Moments):
        better = judged.interval(config.weekly_error).low > 0
        most = config.greatest_cost_ratio if better else config.champion_cost_ratio
        found.append(affordable(name, champion.name, paid, most, config.weekly_error))
    elif paid is not None:
        found.append(paid_for(name, champion.name, paid, judged, config.weekly_error))
    return found


def _judgeable(a: Played, b: Played) -> Moments | None:
    """The difference on the prompts on which both are known; None: there are none."""
    both_N = ~np.isnan(a.quality_N) & ~np.isnan(b.quality_N)
    return a.take(both_N).above(b.take(both_N)) if both_N.any() else None

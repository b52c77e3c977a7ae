"""One condition of the gate in words that a person understands, with figure, interval, threshold and advice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from components.evaluation.bootstrap import Interval
from components.evaluation.latency import rounded_up
from components.evaluation.paired import Moments, prompts_needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition and how it turned out."""

    name: str
    """Short and stable."""
    words: str
    """The finding as a sentence."""
    figure: float
    threshold: float
    passed: bool
    interval: tuple[float, float] | None = None
    """Low and high end, where the condition is about an interval."""
    advice: str = ""
    """What to do where it failed."""
    needed: int | None = None
    """Prompts in all that would settle it, were the figure to stay; None: settled, or more prompts wouldn't help."""

    def as_dict(self) -> dict[str, Any]:
        """As report.json holds it."""
        return {
            "name": self.name,
            "words": self.words,
            "figure": self.figure,
            "interval": None if self.interval is None else list(self.interval),
            "threshold": self.threshold,
            "passed": self.passed,
            "advice": self.advice,
            "needed": self.needed,
        }


def not_worse(name: str, rival: str, moments: Moments, margin: float, level: float) -> Criterion:
    """Whether the low end of a paired difference in quality is at or above -margin.

    Args:
        name: of the condition.
        rival: in words, such as "always using big".
        moments: of the difference.
        margin: quality, >= 0.
        level: one-sided error probability.
    """
    found = moments.interval(level)
    passed = found.low >= -margin - 1e-12
    needed = None if passed else prompts_needed(moments, -margin, level)
    words = f"Quality against {rival}: {points(found)} points; may reach {100 * -margin:.1f}"
    if needed is None:
        advice = f"Quality is below that of {rival} by more than the margin: ask for a higher quality, or for best."
    else:
        advice = f"Can't be told yet: {_more(needed, moments.count)} at this difference would settle it."
    return _compared(name, words, found, -margin, passed, advice, needed)


def worth_it(rival: str, gain: Moments, cost: Moments | float | None, least_savings: float, level: float) -> Criterion:
    """Whether a router is shown to be cheaper than the best single candidate, or better.

    Args:
        rival: in words.
        gain: paired difference in quality.
        cost: cost relative to the rival's; USD a prompt where the rival's is nothing; None: unknown.
        least_savings: share of the rival's cost that must be saved, in [0, 1).
        level: one-sided error probability, of each of the two.
    """
    name = "cheaper or better than the best single candidate"
    better = gain.interval(level)
    if isinstance(cost, Moments):
        # the saved share's ends are those of the cost, the other way round
        paid = cost.interval(level)
        saved = Interval(mean=1 - paid.mean, low=1 - paid.high, high=1 - paid.low)
        if saved.low > least_savings or (better.low <= 0 and saved.mean > least_savings):
            passed = saved.low > least_savings
            needed = None if passed else prompts_needed(_savings(cost), least_savings, level)
            words = f"Costs {percent(saved)} less than {rival}; wanted more than {100 * least_savings:.0f} %"
            advice = "" if needed is None else f"{_more(needed, cost.count)} would settle the savings."
            return _compared(name, words, saved, least_savings, passed, advice, needed)
    passed = better.low > 0
    needed = None if passed else prompts_needed(gain, 0.0, level)
    known = "its cost isn't known"
    if cost is not None:
        known = f"costs {100 * cost.mean:.0f} % of it" if isinstance(cost, Moments) else _beside_free(cost, rival)
    if gain.error == 0 and gain.mean == 0:
        advice = f"It decides as {rival} does: nothing is gained. Ask for parity or a tradeoff, or log more candidates."
    elif needed is None:
        advice = "Neither cheaper nor better: log more varied prompts or candidates, or give prices and token counts."
    else:
        advice = f"Can't be told yet: {_more(needed, gain.count)} at this difference would settle it."
    words = f"Quality against {rival}: {points(better)} points; {known}, so it must be above 0"
    return _compared(name, words, better, 0.0, passed, advice, needed)


def affordable(name: str, rival: str, cost: Moments, greatest_ratio: float, level: float) -> Criterion:
    """Whether the cost isn't shown to exceed a multiple of another's."""
    found = cost.interval(level)
    words = f"Costs {percent(found)} of {rival}; at most {100 * greatest_ratio:.0f} %"
    advice = "Ask for parity or a tradeoff, or raise the greatest cost ratio if quality is worth it."
    return _compared(name, words, found, greatest_ratio, found.low <= greatest_ratio, advice)


def paid_for(name: str, rival: str, cost_usd: float, gain: Moments, level: float) -> Criterion:
    """Whether a router that costs something is shown to be better than what costs nothing.

    Args:
        name: of the condition.
        rival: in words.
        cost_usd: USD a prompt.
        gain: paired difference in quality.
        level: one-sided error probability.
    """
    found = gain.interval(level)
    words = f"It {_beside_free(cost_usd, rival)}, so quality must be above 0: {points(found)} points"
    return _compared(name, words, found, 0.0, found.low > 0, f"Ask for parity, or go on with {rival}.")


def _beside_free(cost_usd: float, rival: str) -> str:
    return f"costs {1000 * cost_usd:.3g} USD per 1,000 prompts where {rival} costs nothing"


def control(name: str, lead: Moments, level: float) -> Criterion:
    """Whether a router deprived of its signal isn't shown to be better: a tie isn't a defeat.

    Args:
        name: of the control.
        lead: the router's quality less the control's.
        level: one-sided error probability.
    """
    found = lead.interval(level)
    words = f"Quality against a router deprived of its signal ({name}): {points(found)} points; a tie passes"
    advice = "What was learnt of prompts does harm: look at labels and graders."
    return _compared(f"control not better: {name}", words, found, 0.0, found.high >= 0, advice)


def enough(name: str, words: str, count: int, least: int, advice: str) -> Criterion:
    """Whether there are at least so many prompts."""
    return replace(
        _plain(name, words, float(count), float(least), count >= least, advice),
        needed=None if count >= least else least,
    )


def few_groups(what: str, count: int, groups: int | None, least: int, advice: str) -> Criterion | None:
    """That prompts are of too few groups to tell, for turns of one conversation say one thing many times.

    Args:
        what: what is counted, as in "The 40 WHAT are of 3 conversations".
        count: how many there are, >= 1.
        groups: conversations or near-duplicates that they are of; None: no two belong together.
        least: how many are enough.
        advice: how to come by more, up to the reason.

    Returns:
        None: there are enough.
    """
    if groups is None or groups >= min(least, count):
        return None
    words = f"The {count:,} {what} are of {groups:,} conversations or near-duplicates; at least {least:,}"
    return enough("evidence", words, groups, least, f"{advice}: turns of one say one thing many times.")


def calibrated(error: float, greatest: float) -> Criterion:
    """Whether predictions are off by little enough on average."""
    words = f"Predicted quality is off by {100 * error:.1f} points on average; at most {100 * greatest:.1f}"
    advice = "Predictions can't be trusted as they are: log more outcomes, or look for drift."
    return _plain("expected calibration error", words, error, greatest, bool(error <= greatest), advice)


def left_out(gains: Mapping[str, Interval], least: float) -> Criterion:
    """Whether the mean gain on benchmarks left out of training is high enough, each counting the same.

    The least of many would fall below any floor by chance.
    """
    worst = min(gains, key=lambda name: gains[name].mean)
    mean = float(np.mean([gain.mean for gain in gains.values()]))
    words = (
        f"Gain on benchmarks left out, mean of {len(gains)} (worst: {worst}): {100 * mean:+.1f} points; "
        f"at least {100 * least:+.1f}"
    )
    advice = "The router misleads on kinds of prompts that it hasn't seen: log more kinds."
    return _plain("benchmarks left out of training", words, mean, least, mean >= least, advice)


def quick(latency_ms: float, greatest: float) -> Criterion:
    """Whether a prompt is routed in time; the figure is rounded up to fifths of what is allowed."""
    figure = rounded_up(latency_ms, greatest)
    words = f"Less than {figure:g} ms of processor time a prompt (rounded up); at most {greatest:g}"
    advice = "Choose a smaller encoder, or raise the limit."
    passed = bool(latency_ms <= greatest)
    return _plain("milliseconds of processor time per prompt", words, figure, greatest, passed, advice)


def decides_again(same: bool) -> Criterion:
    """Whether the bundle made its golden decisions again."""
    words = "Decides from text as it did from stored features" if same else "Decides otherwise from text"
    advice = "The encoder or its features differ: retrain, and report it if it stays."
    return _plain("bundle self-check", words, float(same), 1.0, same, advice)


def points(interval: Interval) -> str:
    """Quality in points of a hundred.

    >>> points(Interval(mean=-0.002, low=-0.011, high=0.006))
    '-0.2 [-1.1, +0.6]'
    """
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def percent(interval: Interval) -> str:
    """A share in per cent.

    >>> percent(Interval(mean=0.58, low=0.51, high=0.64))
    '58 % [51, 64]'
    """
    return f"{100 * interval.mean:.0f} % [{100 * interval.low:.0f}, {100 * interval.high:.0f}]"


def _compared(
    name: str,
    words: str,
    found: Interval,
    threshold: float,
    passed: bool,
    advice: str,
    needed: int | None = None,
) -> Criterion:
    """A condition on an interval; the advice is for where it failed."""
    plain = _plain(name, words, found.mean, threshold, passed, advice)
    return replace(plain, interval=(found.low, found.high), needed=needed)


def _plain(name: str, words: str, figure: float, threshold: float, passed: bool, advice: str) -> Criterion:
    """A condition on a figure; the advice is for where it failed."""
    return Criterion(
        name=name, words=words, figure=figure, threshold=threshold, passed=passed, advice="" if passed else advice
    )


def _savings(cost: Moments) -> Moments:
    return replace(cost, mean=1 - cost.mean)


def _more(needed: int, count: int) -> str:
    more = needed - count
    digits = max(0, len(str(more)) - 2)
    return f"about {max(1, round(more, -digits)):,} more prompts"

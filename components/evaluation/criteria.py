"""One condition of the gate in words that a person understands, with figure, interval, threshold and advice."""

from dataclasses import dataclass, replace
from typing import Any

from components.evaluation.bootstrap import Interval
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
    if passed:
        advice = ""
    elif needed is None:
        advice = f"Quality is below that of {rival} by more than the margin: ask for a higher quality, or for best."
    else:
        advice = f"Can't be told yet: {_more(needed, moments.count)} at this difference would settle it."
    return Criterion(
        name=name,
        words=f"Quality against {rival}: {points(found)} points; may reach {100 * -margin:.1f}",
        figure=found.mean,
        interval=(found.low, found.high),
        threshold=-margin,
        passed=passed,
        advice=advice,
        needed=needed,
    )


def worth_it(rival: str, gain: Moments, cost: Moments | None, least_savings: float, level: float) -> Criterion:
    """Whether a router is shown to be cheaper than the best single candidate, or better.

    Args:
        rival: in words.
        gain: paired difference in quality.
        cost: cost relative to the rival's; None: unknown.
        least_savings: share of the rival's cost that must be saved, in [0, 1).
        level: one-sided error probability, of each of the two.
    """
    name = "cheaper or better than the best single candidate"
    better = gain.interval(level)
    if cost is not None:
        # the saved share's ends are those of the cost, the other way round
        paid = cost.interval(level)
        saved = Interval(mean=1 - paid.mean, low=1 - paid.high, high=1 - paid.low)
        if saved.low > least_savings or (better.low <= 0 and saved.mean > least_savings):
            passed = saved.low > least_savings
            needed = None if passed else prompts_needed(_savings(cost), least_savings, level)
            return Criterion(
                name=name,
                words=f"Costs {percent(saved)} less than {rival}; wanted more than {100 * least_savings:.0f} %",
                figure=saved.mean,
                interval=(saved.low, saved.high),
                threshold=least_savings,
                passed=passed,
                advice="" if passed or needed is None else f"{_more(needed, cost.count)} would settle the savings.",
                needed=needed,
            )
    passed = better.low > 0
    needed = None if passed else prompts_needed(gain, 0.0, level)
    known = "its cost isn't known" if cost is None else f"costs {100 * cost.mean:.0f} % of it"
    if passed:
        advice = ""
    elif gain.error == 0 and gain.mean == 0:
        advice = f"It decides as {rival} does: nothing is gained. Ask for parity or a tradeoff, or log more candidates."
    elif needed is None:
        advice = "Neither cheaper nor better: log more varied prompts or candidates, or give prices and token counts."
    else:
        advice = f"Can't be told yet: {_more(needed, gain.count)} at this difference would settle it."
    return Criterion(
        name=name,
        words=f"Quality against {rival}: {points(better)} points; {known}, so it must be above 0",
        figure=better.mean,
        interval=(better.low, better.high),
        threshold=0.0,
        passed=passed,
        advice=advice,
        needed=needed,
    )


def affordable(name: str, rival: str, cost: Moments, greatest_ratio: float, level: float) -> Criterion:
    """Whether the cost isn't shown to exceed a multiple of another's."""
    found = cost.interval(level)
    passed = found.low <= greatest_ratio
    return Criterion(
        name=name,
        words=f"Costs {percent(found)} of {rival}; at most {100 * greatest_ratio:.0f} %",
        figure=found.mean,
        interval=(found.low, found.high),
        threshold=greatest_ratio,
        passed=passed,
        advice=""
        if passed
        else "Ask for parity or a tradeoff, or raise the greatest cost ratio if quality is worth it.",
    )


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


def _savings(cost: Moments) -> Moments:
    return replace(cost, mean=1 - cost.mean)


def _more(needed: int, count: int) -> str:
    more = needed - count
    digits = max(0, len(str(more)) - 2)
    return f"about {max(1, round(more, -digits)):,} more prompts"

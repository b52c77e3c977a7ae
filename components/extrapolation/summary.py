"""Medians over seeds with distribution-free intervals, and ratios of two models on the same seeds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb, exp, log

from components.extrapolation.study import Measured

LEVEL = 0.9
"""Coverage that an interval reaches if there are seeds enough for it (5: 93.75 %)."""
_FLOOR = {"error rate": 1e-3, "rmse": 1e-12, "km": 1e-3}
"""Errors below are as good as none, so that two of them compare as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A median over seeds and an interval of it between two order statistics."""

    median: float
    low: float
    high: float
    coverage: float
    """Probability that such an interval holds the median, in [0, 1); below LEVEL if there are too few seeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One model on one test over all seeds."""

    problem: str
    method: str
    family: str
    at: float
    inside: bool
    error: Interval
    seeds: int


def median_interval(values: Sequence[float]) -> Interval:
    """The narrowest symmetric pair of order statistics that covers the median with LEVEL, or smallest and largest.

    P(x_(k) <= median <= x_(n+1-k)) = 1 - 2 P(Bin(n, 1/2) < k) for any continuous distribution (David & Nagaraja 2003,
    Order Statistics, section 7.1).

    Raises:
        ValueError: there are no values.

    >>> median_interval([3.0, 1.0, 2.0, 5.0, 4.0])
    Interval(median=3.0, low=1.0, high=5.0, coverage=0.9375)
    """
    if not values:
        raise ValueError("no values to take a median of")
    ordered, count = sorted(values), len(values)

    def coverage(k: int) -> float:
        return 1.0 - 2 * sum(comb(count, below) for below in range(k)) / float(2**count)

    k = max((k for k in range(1, (count + 1) // 2 + 1) if coverage(k) >= LEVEL), default=1)
    middle = (ordered[(count - 1) // 2], ordered[count // 2])
    median = middle[0] if middle[0] == middle[1] else sum(middle) / 2
    return Interval(median=median, low=ordered[k - 1], high=ordered[-k], coverage=max(0.0, coverage(k)))


def summarise(measured: Iterable[Measured]) -> tuple[Summary, ...]:
    """Every model on every test, in the order in which they first appear."""
    grouped: dict[tuple[str, str, str, float, bool], list[float]] = {}
    for one in measured:
        grouped.setdefault((one.problem, one.method, one.family, one.at, one.inside), []).append(one.error)
    return tuple(
        Summary(
            problem=problem,
            method=method,
            family=family,
            at=at,
            inside=inside,
            error=median_interval(errors),
            seeds=len(errors),
        )
        for (problem, method, family, at, inside), errors in grouped.items()
    )


def ratio(measured: Iterable[Measured], one: str, other: str, metric: str) -> Interval:
    """Error of one model over that of another: geometric mean over the tests, then median and interval over seeds.

    Args:
        measured: of one problem; only these two models' rows count.
        one: a model.
        other: another.
        metric: of the problem.

    Raises:
        ValueError: the two weren't measured on the same tests and seeds, or not at all.
    """
    floor = _FLOOR[metric]
    by_model: dict[str, dict[tuple[int, str, float], float]] = {one: {}, other: {}}
    for row in measured:
        if row.method in by_model:
            # An infinite error is worse than any finite one, and as bad as another infinite one.
            by_model[row.method][row.seed, row.family, row.at] = min(max(row.error, floor), 1e30)
    if by_model[one].keys() != by_model[other].keys() or not by_model[one]:
        raise ValueError(f"{one} and {other} weren't measured on the same tests and seeds")
    per_seed: dict[int, list[float]] = {}
    for (seed, family, at), error in by_model[one].items():
        per_seed.setdefault(seed, []).append(log(error / by_model[other][seed, family, at]))
    return median_interval([exp(sum(logs) / len(logs)) for logs in per_seed.values()])

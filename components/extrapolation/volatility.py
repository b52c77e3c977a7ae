"""Volatility of oil and gas prices, learnt in early years and judged in late ones (arXiv 2407.14430, section 4.2)."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from components.extrapolation.problem import Array, Problem, Shift
from components.extrapolation.real_data import PRICES, Prices, found, read_prices
from components.extrapolation.series import Span, check_apart, windows

WINDOW, HORIZON = 22, 5
LAST_YEAR = 2019
YEARS = 6


def generated_prices(seed: int) -> tuple[Prices, ...]:
    """Two goods whose returns follow GARCH(1,1) with t(5) shocks.

    After 2019 the variance is 2.5 times as large in the long run, and shocks weigh more.
    """
    days = tuple(date(1997, 1, 6) + timedelta(days=d) for d in range(10_590) if d % 7 < 5)
    late = sum(day.year <= LAST_YEAR for day in days)
    goods = []
    for number, (name, level) in enumerate((("oil", 2.0), ("gas", 3.5))):
        generator = np.random.default_rng([seed, 7, number])
        shock_T = generator.standard_t(5, len(days)) * np.sqrt(3 / 5)
        variance, return_T = level**2, np.zeros(len(days))
        for t, shock in enumerate(shock_T):
            weight, memory, rest = (0.07, 0.91, 1.0) if t < late else (0.12, 0.83, 2.5)
            return_T[t] = np.sqrt(variance) * shock
            variance = level**2 * rest * (1 - weight - memory) + weight * return_T[t] ** 2 + memory * variance
        goods.append(Prices(name=name, days=days, price_T=50 * np.exp(np.cumsum(return_T) / 100)))
    return tuple(goods)


def volatility(seed: int, *, folder: Path | None = None, train: int | None = None) -> Problem:
    """Root mean squared return of the next 5 days from the absolute returns, in %, of the last 22.

    Tests are the six years after 2019, as far as prices go ('years' 1: 2020); their windows lie in their own year.

    Args:
        seed: of the training sample, and of the prices where there are none.
        folder: see real_data.
        train: training samples, drawn without replacement; all if not given.
    """
    paths = {name: found(folder, file) for name, file in PRICES.items()}
    read = tuple(read_prices(path, name) for name, path in paths.items() if path)
    goods = read or generated_prices(seed)
    train_NF, train_NM = _pooled(goods, None)
    rows_K = np.random.default_rng([seed, 8]).permutation(len(train_NF))[:train]
    tests = []
    known = min(good.days[-1].year for good in goods) - LAST_YEAR
    for year in range(1, min(YEARS, known) + 1):
        inputs_NF, targets_NM = _pooled(goods, LAST_YEAR + year)
        tests.append(Shift(family="years", at=year, inputs_NF=inputs_NF, targets_NM=targets_NM))
    return Problem(
        name="volatility",
        metric="rmse",
        train_inputs_NF=train_NF[rows_K],
        train_targets_NM=train_NM[rows_K],
        tests=tuple(tests),
        source=f"daily prices of {', '.join(good.name for good in read)}" if read else "generated: GARCH(1,1)",
        steps=WINDOW,
    )


def _pooled(goods: tuple[Prices, ...], year: int | None) -> tuple[Array, Array]:
    """Samples of one year, or of the years that are learnt, of all goods."""
    parts = []
    for good in goods:
        size_T = np.abs(np.diff(np.log(good.price_T))) * 100
        years_T = np.array([day.year for day in good.days[1:]])
        learnt = Span(first=0, last=int(np.searchsorted(years_T, LAST_YEAR + 1)))
        span = learnt
        if year is not None:
            first, last = np.searchsorted(years_T, [year, year + 1])
            span = Span(first=int(first), last=int(last))
            check_apart(learnt, span)
        seen_NF, next_NH = windows(size_T, WINDOW, HORIZON, span)
        parts.append((seen_NF, np.sqrt(np.square(next_NH).mean(axis=1, keepdims=True))))
    inputs, targets = zip(*parts, strict=True)
    return np.concatenate(inputs), np.concatenate(targets)

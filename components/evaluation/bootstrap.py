"""Percentile bootstrap over prompts (Efron 1979): the same resamples for every column, so differences are paired.

Shapes: N prompts, K columns, R resamples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.tables.groups import numbered

_CHUNK_CELLS = 4_000_000
_MOST = 20_000
"""Prompts, or groups, up to which each is drawn alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over prompts and its percentile interval."""

    mean: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """[mean, low, high], as reports hold it."""
        return [self.mean, self.low, self.high]


def resampled_means(
    values_NK: NDArray[np.float64], seed: int, resamples: int = 1000, group_N: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """Means of each column over prompts drawn with replacement, shape (R, K); prompts of a group are drawn together.

    Raises:
        ValueError: there are no prompts, or a value is nan.
    """
    prompts = len(values_NK)
    if prompts == 0:
        raise ValueError("no prompts to resample")
    if np.isnan(values_NK).any():
        raise ValueError("a value is nan: compare only prompts on which everything was observed")
    generator = np.random.default_rng(seed)
    if group_N is not None or prompts > _MOST:
        number_N = np.arange(prompts) if group_N is None else numbered(group_N)
        groups = int(number_N.max()) + 1
        if groups > _MOST:
            # many are drawn in bundles, which bounds the work; bundles of neighbours would differ as logs' parts do
            number_N = (generator.permutation(groups) % _MOST)[number_N]
        return _of_groups(values_NK, number_N, generator, resamples)
    share_N = np.full(prompts, 1 / prompts)
    # A resample is a vector of counts, so that its means are one matrix product; chunks bound the memory.
    step = max(1, _CHUNK_CELLS // prompts)
    chunks = [
        generator.multinomial(prompts, share_N, size=min(step, resamples - start)) @ values_NK / prompts
        for start in range(0, resamples, step)
    ]
    return np.concatenate(chunks)


def _of_groups(
    values_NK: NDArray[np.float64], number_N: NDArray[np.intp], generator: np.random.Generator, resamples: int
) -> NDArray[np.float64]:
    """As many groups as there are, each with all of its prompts: a resample's size varies with them."""
    groups = int(number_N.max()) + 1
    sum_GK = np.zeros((groups, values_NK.shape[1] + 1))
    np.add.at(sum_GK, number_N, np.concatenate([values_NK, np.ones((len(values_NK), 1))], axis=1))
    step = max(1, _CHUNK_CELLS // groups)
    share_G = np.full(groups, 1 / groups)
    drawn = np.concatenate(
        [
            generator.multinomial(groups, share_G, size=min(step, resamples - start)) @ sum_GK
            for start in range(0, resamples, step)
        ]
    )
    return np.asarray(drawn[:, :-1] / drawn[:, -1:], dtype=np.float64)


def intervals(
    values_NK: NDArray[np.float64],
    seed: int,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    group_N: NDArray[np.integer] | None = None,
) -> tuple[Interval, ...]:
    """The mean of each column with its percentile interval.

    Args:
        values_NK: one value for each prompt and column, shape (N, K).
        seed: of the resamples.
        resamples: how many, >= 1.
        level: coverage, in (0, 1).
        group_N: prompts that belong together, such as turns of a conversation, and are drawn together; below 0: to
            nothing. None: all are independent.

    Raises:
        ValueError: no prompts, a nan, or a level outside (0, 1).

    >>> intervals(np.array([[0.5], [0.5]]), seed=0)
    (Interval(mean=0.5, low=0.5, high=0.5),)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    means_RK = resampled_means(values_NK, seed, resamples, group_N)
    low_K, high_K = np.quantile(means_RK, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(
        Interval(mean=float(mean), low=float(low), high=float(high))
        for mean, low, high in zip(values_NK.mean(axis=0), low_K, high_K, strict=True)
    )


def paired_difference(
    a_N: NDArray[np.float64], b_N: NDArray[np.float64], seed: int, group_N: NDArray[np.integer] | None = None
) -> Interval:
    """Mean of a - b over the same prompts, with its interval; groups as `intervals` takes them.

    Raises:
        ValueError: the two differ in length, are empty, or hold a nan.
    """
    if a_N.shape != b_N.shape:
        raise ValueError(f"paired values differ in shape: {a_N.shape} and {b_N.shape}")
    return intervals((a_N - b_N)[:, None], seed, group_N=group_N)[0]

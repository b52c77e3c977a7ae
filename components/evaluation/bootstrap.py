"""Percentile bootstrap over prompts (Efron 1979): the same resamples for every column, so differences are paired.

Shapes: N prompts, K columns, R resamples.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over prompts and its percentile interval."""

    mean: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """[mean, low, high], as reports hold it."""
        return [self.mean, self.low, self.high]


def resampled_means(values_NK: NDArray[np.float64], seed: int, resamples: int = 1000) -> NDArray[np.float64]:
    """Means of each column over prompts drawn with replacement, shape (R, K).

    Raises:
        ValueError: there are no prompts, or a value is nan.
    """
    prompts = len(values_NK)
    if prompts == 0:
        raise ValueError("no prompts to resample")
    if np.isnan(values_NK).any():
        raise ValueError("a value is nan: compare only prompts on which everything was observed")
    generator = np.random.default_rng(seed)
    share_N = np.full(prompts, 1 / prompts)
    # A resample is a vector of counts, so that its means are one matrix product; chunks bound the memory.
    step = max(1, _CHUNK_CELLS // prompts)
    chunks = [
        generator.multinomial(prompts, share_N, size=min(step, resamples - start)) @ values_NK / prompts
        for start in range(0, resamples, step)
    ]
    return np.concatenate(chunks)


def intervals(
    values_NK: NDArray[np.float64], seed: int, *, resamples: int = 1000, level: float = 0.95
) -> tuple[Interval, ...]:
    """The mean of each column with its percentile interval.

    Args:
        values_NK: one value for each prompt and column, shape (N, K).
        seed: of the resamples.
        resamples: how many, >= 1.
        level: coverage, in (0, 1).

    Raises:
        ValueError: no prompts, a nan, or a level outside (0, 1).

    >>> intervals(np.array([[0.5], [0.5]]), seed=0)
    (Interval(mean=0.5, low=0.5, high=0.5),)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    means_RK = resampled_means(values_NK, seed, resamples)
    low_K, high_K = np.quantile(means_RK, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return tuple(
        Interval(mean=float(mean), low=float(low), high=float(high))
        for mean, low, high in zip(values_NK.mean(axis=0), low_K, high_K, strict=True)
    )


def paired_difference(a_N: NDArray[np.float64], b_N: NDArray[np.float64], seed: int) -> Interval:
    """Mean of a - b over the same prompts, with its interval.

    Raises:
        ValueError: the two differ in length, are empty, or hold a nan.
    """
    if a_N.shape != b_N.shape:
        raise ValueError(f"paired values differ in shape: {a_N.shape} and {b_N.shape}")
    return intervals((a_N - b_N)[:, None], seed)[0]

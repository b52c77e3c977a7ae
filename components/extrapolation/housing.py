"""House prices in the north of California, learnt in the south (arXiv 2407.14430, section 4.3)."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from components.extrapolation.problem import Problem, Shift
from components.extrapolation.real_data import HOUSES, found, read_houses

SOUTH = 36.0
"""Degrees of latitude below which a block is learnt."""
EDGES = (0.0, 1.0, 2.0, 3.0, 6.0)
"""Of the tests, in degrees north of that."""


def generated_houses(count: int, seed: int) -> pl.DataFrame:
    """Blocks along a coast with two rich cities in the south and two, dearer, in the north."""
    generator = np.random.default_rng([seed, 11])
    latitude_N = generator.uniform(32.5, 42, count)
    coast_N = -117 - 0.75 * (latitude_N - 32.5)
    inland_N = generator.exponential(1.2, count)
    longitude_N = coast_N + inland_N
    cities = ((34.0, 1.0), (32.8, 0.7), (37.8, 1.5), (38.6, 0.6))
    wealth_N = sum(size * np.exp(-((latitude_N - place) ** 2) / 0.3 - inland_N / 0.8) for place, size in cities)
    income_N = np.exp(1.1 + 0.5 * wealth_N + 0.35 * generator.standard_normal(count))
    households_N = np.ceil(generator.gamma(2, 250, count)) + 1
    rooms_N = households_N * np.clip(generator.normal(4.5 + 0.2 * income_N, 1), 1, None)
    value_N = 25e3 * income_N + 90e3 * wealth_N + 3e4 * np.exp(-inland_N) + 3e4 * generator.standard_normal(count)
    return pl.DataFrame(
        {
            "longitude": longitude_N,
            "latitude": latitude_N,
            "housing_median_age": generator.uniform(1, 52, count).round(),
            "total_rooms": rooms_N,
            "total_bedrooms": rooms_N * generator.uniform(0.15, 0.3, count),
            "population": households_N * generator.normal(2.9, 0.5, count).clip(1),
            "households": households_N,
            "median_income": income_N,
            "median_house_value": np.clip(value_N, 15e3, 500e3),
        }
    )


def housing(seed: int, *, folder: Path | None = None, train: int = 10_000, test: int = 3_000) -> Problem:
    """Median value of a block in USD from place, age, income, rooms and people; tests go north ('degrees north').

    The test's place is the middle of its strip; 0 is in distribution.

    Args:
        seed: of the blocks that are drawn, and of the blocks where there are none.
        folder: see real_data.
        train: training samples at most.
        test: samples of each test at most.
    """
    path = found(folder, HOUSES)
    frame = (read_houses(path) if path else generated_houses(4 * (train + 2 * test), seed)).select(
        "longitude",
        "latitude",
        "housing_median_age",
        "median_income",
        (pl.col("total_rooms") / pl.col("households")).log().alias("rooms"),
        (pl.col("total_bedrooms") / pl.col("total_rooms")).alias("bedrooms"),
        (pl.col("population") / pl.col("households")).log().alias("people"),
        pl.col("households").log(),
        "median_house_value",
    )
    features = [name for name in frame.columns if name != "median_house_value"]
    # Blocks that agree in everything would be in training and test at once.
    block_NK = frame.unique(subset=features, keep="first", maintain_order=True).to_numpy()
    block_NK = np.random.default_rng([seed, 12]).permutation(block_NK)
    north_N = block_NK[:, 1] - SOUTH
    south_K = np.flatnonzero(north_N < 0)
    held = min(test, len(south_K) // 5)
    parts = [(0.0, south_K[:held])] + [
        ((low + high) / 2, np.flatnonzero((north_N >= low) & (north_N < high))[:test]) for low, high in pairwise(EDGES)
    ]
    train_K = south_K[held:][:train]
    return Problem(
        name="housing",
        metric="rmse",
        train_inputs_NF=block_NK[train_K, :-1],
        train_targets_NM=block_NK[train_K, -1:],
        tests=tuple(
            Shift(
                family="degrees north",
                at=at,
                inputs_NF=block_NK[rows_K, :-1],
                targets_NM=block_NK[rows_K, -1:],
                inside=at == 0,
            )
            for at, rows_K in parts
        ),
        source="California census of 1990" if path else "generated: a coast with four cities",
        centred=True,
    )

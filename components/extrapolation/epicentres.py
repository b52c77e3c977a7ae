"""Where an earthquake was, from when its waves came, learnt in the Pacific half (arXiv 2407.14430, section 4.3)."""

from pathlib import Path

import numpy as np

from components.extrapolation.problem import EARTH_RADIUS_KM, Array, Problem, ProblemError, Shift, great_circle_km
from components.extrapolation.real_data import EPICENTRES, TRAVEL_TIMES, found, read_epicentres, read_travel_times
from components.extrapolation.travel_times import TravelTimes, computed_table

STATIONS_52 = np.array(
    [[21.42, -158.01], [36.55, 138.20], [44.59, -123.30], [-20.09, 146.25], [-27.13, -109.33]], dtype=np.float64
)
"""Latitude and longitude of Kipapa, Matsushiro, Corvallis, Charters Towers and Rapa Nui: around the Pacific."""
BANDS = 9


def generated_epicentres(count: int, seed: int) -> Array:
    """Latitude, longitude and depth: even over the sphere, depths exponential with mean 70 km, at most 700."""
    generator = np.random.default_rng([seed, 9])
    latitude_N = np.degrees(np.arcsin(generator.uniform(-1, 1, count)))
    longitude_N = generator.uniform(-180, 180, count)
    return np.column_stack([latitude_N, longitude_N, np.minimum(generator.exponential(70, count), 700)])


def arrival_times(source_N3: Array, table: TravelTimes) -> Array:
    """Seconds from each source to each of the five stations, shape (N, 5)."""
    per_degree = np.pi * EARTH_RADIUS_KM / 180
    columns = []
    for station_2 in STATIONS_52:
        distance_N = great_circle_km(source_N3[:, :2], np.broadcast_to(station_2, (len(source_N3), 2))) / per_degree
        columns.append(table.at(distance_N, source_N3[:, 2]))
    return np.column_stack(columns)


def epicentres(seed: int, *, folder: Path | None = None, train: int = 10_000, test: int = 3_000) -> Problem:
    """Latitude and longitude from five arrival times; tests are bands of 10 degrees beyond the half ('bands' 1 to 9).

    Longitudes run from 0 to 360, so that the Pacific is whole. 'bands' 0 is in distribution.

    Args:
        seed: of the samples that are drawn, and of the epicentres where there are none.
        folder: see real_data.
        train: training samples at most.
        test: samples of each test at most.
    """
    catalogue, times = found(folder, EPICENTRES), found(folder, TRAVEL_TIMES)
    source_N3 = read_epicentres(catalogue) if catalogue else generated_epicentres(3 * train + 9 * test, seed)
    table = read_travel_times(times) if times else computed_table()
    # Each place and depth once: the catalogue's coordinates are rounded, and a sample must not be in train and test.
    source_N3 = np.unique(source_N3, axis=0)
    source_N3 = np.random.default_rng([seed, 10]).permutation(source_N3)
    inputs_NF = arrival_times(source_N3, table)
    targets_NM = np.column_stack([source_N3[:, 0], source_N3[:, 1] % 360])
    size_N = np.abs(source_N3[:, 1])
    pacific_K = np.flatnonzero(size_N >= 90)
    held = min(test, len(pacific_K) // 5)
    train_K, tests = pacific_K[held:][:train], []
    for band in range(BANDS + 1):
        in_band_N = (size_N < 90 - 10 * (band - 1)) & (size_N >= 90 - 10 * band)
        rows_K = pacific_K[:held] if band == 0 else np.flatnonzero(in_band_N)[:test]
        if not rows_K.size:
            raise ProblemError(f"epicentres: no source lies in band {band} ({90 - 10 * band} degrees and up)")
        test_NF, test_NM = inputs_NF[rows_K], targets_NM[rows_K]
        tests.append(Shift(family="bands", at=band, inputs_NF=test_NF, targets_NM=test_NM, inside=band == 0))
    return Problem(
        name="epicentres",
        metric="km",
        train_inputs_NF=inputs_NF[train_K],
        train_targets_NM=targets_NM[train_K],
        tests=tuple(tests),
        source=f"{'USGS catalogue' if catalogue else 'generated, even over the sphere'}; times: {table.source}",
        centred=True,
    )

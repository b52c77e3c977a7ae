"""A wave with sudden spikes that fade, and grow over time (after arXiv 2407.14430, section 4.2)."""

from itertools import pairwise

import numpy as np

from components.extrapolation.problem import Array, Problem, Shift
from components.extrapolation.series import Span, check_apart, windows

WINDOW = 20
SEGMENTS = 3


def spiky_series(length: int, seed: int) -> Array:
    """sin(t/8) + .5 sin(t/27) + noise + spikes: at 2 % of the times, exponential in size, fading by a factor .7.

    The mean size grows from 1 to 4 over the series, so that later spikes are larger than any that came before.
    """
    generator = np.random.default_rng([seed, 6])
    t_T = np.arange(length)
    struck_T = generator.random(length) < 0.02
    size_T = generator.exponential(1 + 3 * t_T / length) * struck_T
    age_A = np.arange(40)
    spikes_T = np.convolve(size_T, 0.7**age_A)[:length]
    wave_T = np.sin(t_T / 8) + 0.5 * np.sin(t_T / 27)
    return np.asarray(wave_T + 0.05 * generator.standard_normal(length) + spikes_T, dtype=np.float64)


def spiky(seed: int, *, train: int = 7_000, test: int = 3_000) -> Problem:
    """The next value from the last 20; tests are the thirds of the time after training ('thirds' 1 to 3)."""
    series_T = spiky_series(train + test, seed)
    learnt = Span(first=0, last=train)
    inputs_NF, targets_NM = windows(series_T, WINDOW, 1, learnt)
    edges = np.linspace(train, train + test, SEGMENTS + 1).astype(int)
    tests = []
    for number, (first, last) in enumerate(pairwise(edges), start=1):
        span = Span(first=int(first), last=int(last))
        check_apart(learnt, span)
        late_NF, late_NM = windows(series_T, WINDOW, 1, span)
        tests.append(Shift(family="thirds", at=number, inputs_NF=late_NF, targets_NM=late_NM))
    return Problem(
        name="spiky",
        metric="rmse",
        train_inputs_NF=inputs_NF,
        train_targets_NM=targets_NM,
        tests=tuple(tests),
        source="generated",
        steps=WINDOW,
    )

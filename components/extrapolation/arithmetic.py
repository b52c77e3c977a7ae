"""Identity, addition and subtraction under growing scale (arXiv 2407.14430, section 4.1; Trask et al. 2018, NALU).

All three are linear maps, so least squares is an exact answer to each.
"""

from typing import Literal

import numpy as np

from components.extrapolation.problem import Array, Problem, Shift

IDENTITY_SCALES = (10.0, 20.0, 50.0, 100.0, 200.0)
SUM_SCALES = (10.0, 100.0, 1e3, 1e4, 1e5)
INPUTS = 50


def identity(seed: int, *, train: int = 10_000, test: int = 3_000) -> Problem:
    """y = u for 10 inputs; training U(-5, 5), tests U(-k, k); 'scale' 5 is in distribution.

    Args:
        seed: of the samples.
        train: training samples.
        test: samples of each test.
    """
    generator = np.random.default_rng([seed, 1])
    train_NF = generator.uniform(-5, 5, (train, 10))
    tests = []
    for k in (5.0, *IDENTITY_SCALES):
        inputs_NF = generator.uniform(-k, k, (test, 10))
        tests.append(Shift(family="scale", at=k, inputs_NF=inputs_NF, targets_NM=inputs_NF, inside=k == 5.0))
    return Problem(
        name="identity",
        metric="rmse",
        train_inputs_NF=train_NF,
        train_targets_NM=train_NF,
        tests=tuple(tests),
        source="generated",
    )


def partial_sums(
    operation: Literal["add", "subtract"], seed: int, *, train: int = 10_000, test: int = 3_000
) -> Problem:
    """The sum of one range of 50 inputs plus or minus that of another; training U(-1, 1), tests U(-k/2, k/2).

    The two ranges, each of 10 to 30 inputs, are drawn by the seed and are the same for all samples.
    """
    generator = np.random.default_rng([seed, 2 if operation == "add" else 3])
    weights_F = np.zeros(INPUTS)
    for sign in (1.0, 1.0 if operation == "add" else -1.0):
        length = generator.integers(10, 31)
        start = generator.integers(0, INPUTS - length + 1)
        weights_F[start : start + length] += sign
    train_NF = generator.uniform(-1, 1, (train, INPUTS))

    def sums(inputs_NF: Array) -> Array:
        return (inputs_NF @ weights_F)[:, None]

    tests = []
    for k in (2.0, *SUM_SCALES):
        inputs_NF = generator.uniform(-k / 2, k / 2, (test, INPUTS))
        test_NM = sums(inputs_NF)
        tests.append(Shift(family="scale", at=k, inputs_NF=inputs_NF, targets_NM=test_NM, inside=k == 2.0))
    return Problem(
        name=operation,
        metric="rmse",
        train_inputs_NF=train_NF,
        train_targets_NM=sums(train_NF),
        tests=tuple(tests),
        source="generated",
        steps=INPUTS // 5,
    )

"""Functions of a sliding window of 10 values: its mean and the place of its maximum (arXiv 2407.14430, section 4.1)."""

import numpy as np

from components.extrapolation.problem import Array, Problem, Shift

LENGTH = 10
OFFSETS = (5.0, 10.0, 20.0, 50.0, 100.0)
SCALES = (10.0, 100.0, 1e3, 1e4, 1e5)
ADDED = (0.1, 1.0, 10.0, 100.0)


def rolling_average(seed: int, *, train: int = 10_000, test: int = 3_000) -> Problem:
    """The window's mean, a linear map; training N(3, 1), tests N(3 + k, 1); 'offset' 0 is in distribution."""
    generator = np.random.default_rng([seed, 4])

    def mean(inputs_NF: Array) -> Array:
        return np.asarray(inputs_NF.mean(axis=1, keepdims=True))

    train_NF = generator.normal(3, 1, (train, LENGTH))
    tests = []
    for k in (0.0, *OFFSETS):
        inputs_NF = generator.normal(3 + k, 1, (test, LENGTH))
        test_NM = mean(inputs_NF)
        tests.append(Shift(family="offset", at=k, inputs_NF=inputs_NF, targets_NM=test_NM, inside=k == 0.0))
    return Problem(
        name="rolling_average",
        metric="rmse",
        train_inputs_NF=train_NF,
        train_targets_NM=mean(train_NF),
        tests=tuple(tests),
        source="generated",
        steps=LENGTH,
    )


def rolling_argmax(seed: int, *, train: int = 10_000, test: int = 3_000) -> Problem:
    """The place of the window's maximum; training U(0, 1), tests U(0, k) and, beyond the paper, U(k, k + 1).

    A scale leaves a scale-equivariant network's choice as it is; an offset leaves the answer as it is, too, but not
    such a network.
    """
    generator = np.random.default_rng([seed, 5])

    def place(inputs_NF: Array) -> Array:
        return np.asarray(inputs_NF.argmax(axis=1, keepdims=True), dtype=np.float64)

    train_NF = generator.uniform(0, 1, (train, LENGTH))
    tests = []
    for family, values in (("scale", (1.0, *SCALES)), ("offset", (0.0, *ADDED))):
        for k in values:
            low, high = (0.0, k) if family == "scale" else (k, k + 1)
            inputs_NF = generator.uniform(low, high, (test, LENGTH))
            test_NM = place(inputs_NF)
            inside = (low, high) == (0.0, 1.0)
            tests.append(Shift(family=family, at=k, inputs_NF=inputs_NF, targets_NM=test_NM, inside=inside))
    return Problem(
        name="rolling_argmax",
        metric="error rate",
        train_inputs_NF=train_NF,
        train_targets_NM=place(train_NF),
        tests=tuple(tests),
        source="generated",
        classes=LENGTH,
        steps=LENGTH,
    )

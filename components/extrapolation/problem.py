"""What a study is about: samples to learn from, and tests that lie further and further away from them.

Shapes: N samples, F inputs, M outputs.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Metric = Literal["rmse", "error rate", "km"]
"""Root mean squared error in the target's unit; share of wrong classes; mean great-circle distance."""
EARTH_RADIUS_KM = 6371.0


class ProblemError(ValueError):
    """Data that a study can't use; says which problem, samples and rule."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shift:
    """A test set at some distance from training."""

    family: str
    """What grows: scale, offset, years, ..."""
    at: float
    """How much of it; >= 0."""
    inputs_NF: Array
    targets_NM: Array
    inside: bool = False
    """Whether it comes from the training distribution: no shift, the yardstick of the others."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Training samples and tests, checked to be finite, consistent and without a sample in both.

    Raises:
        ProblemError: a value is nan or infinite, shapes don't match, or a test sample was trained on.
    """

    name: str
    metric: Metric
    train_inputs_NF: Array
    train_targets_NM: Array
    """Outputs; for 'error rate' the class index, shape (N, 1); for 'km' latitude and longitude in degrees."""
    tests: tuple[Shift, ...]
    source: str
    """Where the data is from, for the report."""
    classes: int = 0
    """Of an 'error rate' problem."""
    steps: int | None = None
    """For models that read series: the inputs are this many steps of F / steps values; None: F steps of one."""
    centred: bool = False
    """Whether inputs and targets are standardised, column by column, before learning. False: divided by one number
    each, so that a network without biases stays scale-equivariant."""

    def __post_init__(self) -> None:
        if not self.tests:
            raise ProblemError(f"{self.name}: there is no test")
        self._check("training", self.train_inputs_NF, self.train_targets_NM)
        if self.train_inputs_NF.shape[1] % self.series_steps:
            raise ProblemError(f"{self.name}: {self.train_inputs_NF.shape[1]} inputs aren't {self.series_steps} steps")
        trained = _rows(self.train_inputs_NF)
        for test in self.tests:
            where = f"test at {test.family} {test.at:g}"
            self._check(where, test.inputs_NF, test.targets_NM)
            if test.inputs_NF.shape[1] != self.train_inputs_NF.shape[1]:
                raise ProblemError(
                    f"{self.name}: {where} has {test.inputs_NF.shape[1]} inputs, training "
                    f"{self.train_inputs_NF.shape[1]}"
                )
            shared_N = np.isin(_rows(test.inputs_NF), trained)
            if shared_N.any():
                raise ProblemError(
                    f"{self.name}: {where} overlaps training: {shared_N.sum()} samples are in both, "
                    f"the first is row {int(shared_N.argmax())}"
                )

    def _check(self, where: str, inputs_NF: Array, targets_NM: Array) -> None:
        if inputs_NF.ndim != 2 or targets_NM.ndim != 2 or len(inputs_NF) != len(targets_NM) or not len(inputs_NF):
            raise ProblemError(
                f"{self.name}: {where} inputs {inputs_NF.shape} and targets {targets_NM.shape} don't fit"
            )
        for what, values in (("inputs", inputs_NF), ("targets", targets_NM)):
            bad_N = ~np.isfinite(values).all(axis=1)
            if bad_N.any():
                raise ProblemError(f"{self.name}: {where} {what} hold nan or infinite values, in row {bad_N.argmax()}")

    @property
    def outputs(self) -> int:
        """Numbers a model answers with."""
        return self.classes or self.train_targets_NM.shape[1]

    @property
    def series_steps(self) -> int:
        """Steps that models of series read the inputs in."""
        return self.steps or self.train_inputs_NF.shape[1]


def error(problem: Problem, predicted_NK: Array, targets_NM: Array) -> float:
    """The problem's error of some predictions; infinite where a prediction isn't finite.

    Args:
        problem: says which error.
        predicted_NK: outputs; for 'error rate' a score of each class.
        targets_NM: see Problem.

    >>> half = Shift(family="scale", at=1, inputs_NF=np.ones((1, 1)), targets_NM=np.ones((1, 1)))
    >>> p = Problem(name="p", metric="rmse", train_inputs_NF=np.zeros((1, 1)), train_targets_NM=np.zeros((1, 1)),
    ...             tests=(half,), source="")
    >>> error(p, np.array([[3.0], [4.0]]), np.array([[0.0], [0.0]]))
    3.5355339059327378
    """
    if not np.isfinite(predicted_NK).all():
        return float("inf")
    if problem.metric == "error rate":
        return float((predicted_NK.argmax(axis=1) != targets_NM[:, 0]).mean())
    if problem.metric == "km":
        return float(great_circle_km(predicted_NK, targets_NM).mean())
    return float(np.sqrt(np.square(predicted_NK - targets_NM).mean()))


def great_circle_km(one_N2: Array, other_N2: Array) -> Array:
    """Distance on the sphere between points of latitude and longitude in degrees (haversine), shape (N,).

    >>> great_circle_km(np.array([[0.0, 0.0]]), np.array([[0.0, 180.0]])).round()
    array([20015.])
    """
    lat_one_N, lon_one_N, lat_two_N, lon_two_N = np.radians(np.column_stack([one_N2, other_N2])).T
    half_N = (
        np.sin((lat_two_N - lat_one_N) / 2) ** 2
        + np.cos(lat_one_N) * np.cos(lat_two_N) * np.sin((lon_two_N - lon_one_N) / 2) ** 2
    )
    # A predicted latitude may lie beyond a pole, where the formula leaves [0, 1].
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half_N, 0, 1))))


def _rows(values_NF: Array) -> NDArray[np.void]:
    rows_NF = np.ascontiguousarray(values_NF) + 0.0  # -0.0 and 0.0 are the same sample
    return rows_NF.view(np.dtype((np.void, rows_NF.dtype.itemsize * rows_NF.shape[1])))[:, 0]

"""Errors against closed forms, and every rule that a problem's data must obey."""

from dataclasses import replace

import numpy as np
import pytest

from components.extrapolation.problem import Problem, ProblemError, Shift, error, great_circle_km


@pytest.fixture
def problem():
    train_NF = np.arange(6.0).reshape(3, 2)
    test = Shift(family="scale", at=2, inputs_NF=train_NF + 0.5, targets_NM=train_NF[:, :1])
    return Problem(
        name="sums",
        metric="rmse",
        train_inputs_NF=train_NF,
        train_targets_NM=train_NF[:, :1],
        tests=(test,),
        source="made up",
    )


def test_a_test_that_shares_a_sample_with_training_is_refused(problem):
    inputs_NF = problem.tests[0].inputs_NF.copy()
    inputs_NF[1] = problem.train_inputs_NF[2]
    with pytest.raises(ProblemError, match=r"sums: test at scale 2 overlaps training: 1 samples .* first is row 1"):
        replace(problem, tests=(replace(problem.tests[0], inputs_NF=inputs_NF),))


def test_minus_zero_is_the_same_sample_as_zero(problem):
    train_NF = problem.train_inputs_NF.copy()
    train_NF[0] = [0.0, -0.0]
    with pytest.raises(ProblemError, match="overlaps training"):
        replace(
            problem,
            train_inputs_NF=train_NF,
            tests=(replace(problem.tests[0], inputs_NF=np.zeros((1, 2)), targets_NM=np.ones((1, 1))),),
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_with_its_row(problem, bad):
    targets_NM = problem.train_targets_NM.copy()
    targets_NM[2] = bad
    with pytest.raises(ProblemError, match="sums: training targets hold nan or infinite values, in row 2"):
        replace(problem, train_targets_NM=targets_NM)
    inputs_NF = problem.tests[0].inputs_NF.copy()
    inputs_NF[1, 0] = bad
    with pytest.raises(ProblemError, match="sums: test at scale 2 inputs hold nan or infinite values, in row 1"):
        replace(problem, tests=(replace(problem.tests[0], inputs_NF=inputs_NF),))


def test_shapes_that_do_not_fit_are_refused(problem):
    with pytest.raises(ProblemError, match=r"training inputs .* don't fit"):
        replace(problem, train_targets_NM=np.zeros((2, 1)))
    with pytest.raises(ProblemError, match="test at scale 2 has 3 inputs, training 2"):
        replace(problem, tests=(replace(problem.tests[0], inputs_NF=np.ones((3, 3))),))
    with pytest.raises(ProblemError, match="2 inputs aren't 4 steps"):
        replace(problem, steps=4)
    with pytest.raises(ProblemError, match="there is no test"):
        replace(problem, tests=())


def test_error_rate_counts_wrong_classes(problem):
    classes = replace(problem, metric="error rate", classes=2)
    scores_NK = np.array([[2.0, 1.0], [0.0, 5.0], [1.0, 0.0]])
    assert error(classes, scores_NK, np.array([[0.0], [1.0], [1.0]])) == pytest.approx(1 / 3)


def test_an_infinite_prediction_is_an_infinite_error(problem):
    assert error(problem, np.array([[np.inf]]), np.array([[0.0]])) == float("inf")


def test_great_circles_agree_with_the_angle_between_vectors():
    generator = np.random.default_rng(0)
    one, other = (np.column_stack([generator.uniform(-90, 90, 50), generator.uniform(0, 360, 50)]) for _ in range(2))

    def vectors(place_N2):
        lat, lon = np.radians(place_N2).T
        return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    cosine = (vectors(one) * vectors(other)).sum(axis=1)
    np.testing.assert_allclose(great_circle_km(one, other), 6371 * np.arccos(cosine), rtol=1e-6)

"""The sums are what they are called, and their inputs lie where they should."""

import numpy as np
import pytest

from components.extrapolation.arithmetic import identity, partial_sums


def test_identity_answers_with_its_inputs_over_the_papers_ranges():
    problem = identity(0, train=500, test=400)
    np.testing.assert_array_equal(problem.train_inputs_NF, problem.train_targets_NM)
    assert problem.train_inputs_NF.shape == (500, 10)
    assert [test.at for test in problem.tests] == [5, 10, 20, 50, 100, 200]
    assert [test.inside for test in problem.tests] == [True, *[False] * 5]
    for test in problem.tests:
        assert 0.98 * test.at < np.abs(test.inputs_NF).max() <= test.at
        np.testing.assert_array_equal(test.inputs_NF, test.targets_NM)


@pytest.mark.parametrize("operation", ["add", "subtract"])
def test_each_input_counts_for_one_or_both_ranges(operation):
    problem = partial_sums(operation, 3, train=200, test=100)
    weights, *_ = np.linalg.lstsq(problem.train_inputs_NF, problem.train_targets_NM, rcond=None)
    whole = weights.round(9)[:, 0] + 0.0
    assert set(whole) <= ({0, 1, 2} if operation == "add" else {-1, 0, 1})
    for test in problem.tests:
        np.testing.assert_allclose(test.inputs_NF @ whole, test.targets_NM[:, 0], atol=1e-7 * test.at)
        assert 0.98 * test.at / 2 < np.abs(test.inputs_NF).max() <= test.at / 2


def test_the_same_seed_gives_the_same_problem_and_another_another():
    one, same, other = (partial_sums("add", seed, train=50, test=20) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.tests[2].inputs_NF, same.tests[2].inputs_NF)
    assert not np.array_equal(one.train_inputs_NF, other.train_inputs_NF)

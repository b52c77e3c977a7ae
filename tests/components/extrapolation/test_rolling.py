"""Average and argmax of windows against plain loops."""

import numpy as np

from components.extrapolation.rolling import rolling_argmax, rolling_average


def test_averages_are_means_and_move_by_the_offset():
    problem = rolling_average(0, train=300, test=300)
    for test in problem.tests:
        np.testing.assert_allclose(test.targets_NM[:, 0], [sum(row) / 10 for row in test.inputs_NF])
        assert abs(test.inputs_NF.mean() - 3 - test.at) < 0.1


def test_the_place_of_the_maximum_in_both_families():
    problem = rolling_argmax(0, train=300, test=200)
    assert problem.outputs == 10
    assert {test.family for test in problem.tests} == {"scale", "offset"}
    for test in problem.tests:
        expected = [max(range(10), key=row.__getitem__) for row in test.inputs_NF.tolist()]
        np.testing.assert_array_equal(test.targets_NM[:, 0], expected)
        low, high = (0, test.at) if test.family == "scale" else (test.at, test.at + 1)
        assert low <= test.inputs_NF.min() < test.inputs_NF.max() <= high
    assert [(test.family, test.at) for test in problem.tests if test.inside] == [("scale", 1), ("offset", 0)]

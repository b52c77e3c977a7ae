"""South is learnt, north is tested, and features are what they are called."""

import numpy as np
import pytest

from components.extrapolation.housing import SOUTH, generated_houses, housing
from components.extrapolation.real_data import HOUSES, read_houses


def test_latitudes_divide_training_from_tests():
    problem = housing(0, train=300, test=80)
    assert problem.train_inputs_NF.shape == (300, 8)
    assert (problem.train_inputs_NF[:, 1] < SOUTH).all()
    for test, (low, high) in zip(problem.tests, [(-9, 0), (0, 1), (1, 2), (2, 3), (3, 6)], strict=True):
        north = test.inputs_NF[:, 1] - SOUTH
        assert ((north >= low) & (north < high)).all()
        assert test.inside == (test.at == 0)


def test_features_come_from_the_same_block():
    frame = generated_houses(4 * (50 + 2 * 20), 0)
    problem = housing(0, train=50, test=20)
    for inputs, value in zip(problem.train_inputs_NF, problem.train_targets_NM[:, 0], strict=True):
        row = frame.row(int(np.abs(frame["latitude"].to_numpy() - inputs[1]).argmin()), named=True)
        assert value == row["median_house_value"]
        assert inputs[4] == pytest.approx(np.log(row["total_rooms"] / row["households"]))
        assert inputs[5] == pytest.approx(row["total_bedrooms"] / row["total_rooms"])
        assert inputs[6] == pytest.approx(np.log(row["population"] / row["households"]))


def test_real_blocks_without_a_value_are_left_out(shared_data):
    path = shared_data / "extrapolation" / HOUSES
    if not path.exists():
        pytest.skip("skipped: no shared data")
    # 207 of 20,640 blocks lack their bedrooms
    assert read_houses(path).height == 20_433
    problem = housing(0, folder=shared_data / "extrapolation", train=500, test=50)
    assert problem.source == "California census of 1990"

"""Bands, arrival times and the catalogue."""

import numpy as np
import pytest

from components.extrapolation.epicentres import STATIONS_52, arrival_times, epicentres
from components.extrapolation.problem import ProblemError
from components.extrapolation.real_data import EPICENTRES, read_epicentres
from components.extrapolation.travel_times import TravelTimes

LINEAR = TravelTimes(
    distance_deg_D=np.array([0.0, 180.0]),
    depth_km_Z=np.array([0.0, 700.0]),
    time_s_DZ=np.array([[0.0, 70.0], [1800.0, 1870.0]]),
    source="ten seconds a degree, and one in ten km of depth",
)


def test_a_source_below_a_station_arrives_there_after_its_depth_alone():
    sources = np.column_stack([STATIONS_52, np.full(5, 300.0)])
    times = arrival_times(sources, LINEAR)
    np.testing.assert_allclose(np.diag(times), 30, atol=1e-3)
    assert (times - 30 * np.eye(5) >= 0).all()
    np.testing.assert_allclose(times, times.T, atol=1e-6)


def test_training_is_the_pacific_half_and_bands_leave_it_step_by_step():
    problem = epicentres(0, train=400, test=60)
    assert problem.metric == "km"
    assert problem.train_inputs_NF.shape == (400, 5)
    longitude = problem.train_targets_NM[:, 1]
    assert ((longitude >= 90) & (longitude <= 270)).all()
    for test in problem.tests:
        away = np.minimum(test.targets_NM[:, 1], 360 - test.targets_NM[:, 1])
        if test.inside:
            assert (away >= 90).all()
        else:
            assert ((away >= 90 - 10 * test.at) & (away < 100 - 10 * test.at)).all()


def test_without_data_the_report_says_that_it_is_generated(tmp_path):
    assert epicentres(0, folder=tmp_path, train=100, test=30).source.startswith("generated")


def test_real_epicentres_are_used_where_they_are(shared_data):
    if not (shared_data / "extrapolation" / EPICENTRES).exists():
        pytest.skip("skipped: no shared data")
    problem = epicentres(0, folder=shared_data / "extrapolation", train=500, test=50)
    assert problem.source == "USGS catalogue; times: first arrivals of ak135_travel_times"
    assert len(problem.tests) == 10


def test_bad_rows_of_a_catalogue_are_named(tmp_path):
    path = tmp_path / "quakes.csv"
    path.write_text("Type,Latitude,Longitude,Depth\nEarthquake,1,2,3\nEarthquake,91,2,3\n")
    with pytest.raises(ProblemError, match=r"quakes.csv: row 3: \|Latitude\| must be <= 90"):
        read_epicentres(path)
    path.write_text("Type,Latitude,Longitude,Depth\nEarthquake,1,2,\n")
    with pytest.raises(ProblemError, match=r"quakes.csv: row 2: Depth is missing"):
        read_epicentres(path)
    path.write_text("Type,Latitude,Longitude\nEarthquake,1,2\n")
    with pytest.raises(ProblemError, match=r"quakes.csv: no column 'Depth'"):
        read_epicentres(path)


def test_explosions_are_left_out(tmp_path):
    path = tmp_path / "quakes.csv"
    path.write_text("Type,Latitude,Longitude,Depth\nEarthquake,1,2,3\nNuclear Explosion,5,6,7\n")
    np.testing.assert_array_equal(read_epicentres(path), [[1, 2, 3]])

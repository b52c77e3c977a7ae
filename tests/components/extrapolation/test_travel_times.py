"""Travel times against straight rays, against an integral along one ray, and against published tables."""

import numpy as np
import pytest
from scipy.integrate import quad

from components.extrapolation import travel_times
from components.extrapolation.problem import ProblemError
from components.extrapolation.real_data import TRAVEL_TIMES, read_travel_times
from components.extrapolation.travel_times import TravelTimes, computed_table, velocity_km_s


@pytest.fixture(scope="module")
def table():
    return computed_table(np.arange(0.0, 96.0, 5), np.array([0.0, 35, 300, 700]))


def test_in_a_uniform_ball_rays_are_chords(monkeypatch):
    monkeypatch.setattr(travel_times, "_LAYERS", ((3482.0, 6371.0, (10.0,)),))
    distances = np.arange(0.0, 91.0, 10)
    table = computed_table(distances, np.array([0.0, 400.0]))
    for column, radius in enumerate((6371.0, 5971.0)):
        chord = np.sqrt(6371**2 + radius**2 - 2 * 6371 * radius * np.cos(np.radians(distances)))
        np.testing.assert_allclose(table.time_s_DZ[:, column], chord / 10, rtol=2e-4, atol=1e-3)


def test_straight_up_takes_depth_over_velocity(table):
    seconds, _ = quad(
        lambda r: 1 / velocity_km_s(np.array([r]))[0],
        6371 - 700,
        6371,
        limit=400,
        points=(6351, 6336, 6251, 6161, 5961, 5711),
    )
    assert table.at(np.array([0.0]), np.array([700.0]))[0] == pytest.approx(seconds, abs=0.01)


def test_published_iasp91_times_of_surface_sources(table):
    # Kennett 1991, IASPEI 1991 seismological tables: P from a surface source.
    found = table.at(np.array([30.0, 60.0, 90.0]), np.zeros(3))
    np.testing.assert_allclose(found, [369.5, 608.5, 780.9], atol=1.5)


def test_times_rise_with_distance_and_fall_with_depth_far_away(table):
    assert (np.diff(table.time_s_DZ, axis=0) > 0).all()
    assert (np.diff(table.time_s_DZ[6:], axis=1) < 0).all()


def test_beyond_the_table_the_last_slowness_goes_on(table):
    at = table.at(np.array([90.0, 95.0, 120.0]), np.full(3, 35.0))
    assert at[2] == pytest.approx(at[1] + 5 * (at[1] - at[0]))


def test_between_its_points_the_table_is_bilinear():
    made = TravelTimes(
        distance_deg_D=np.array([0.0, 10.0]),
        depth_km_Z=np.array([0.0, 100.0]),
        time_s_DZ=np.array([[0.0, 10.0], [20.0, 40.0]]),
        source="",
    )
    np.testing.assert_allclose(made.at(np.array([5.0, 10, 2.5]), np.array([50.0, 900, 0])), [17.5, 40, 5])


def test_a_table_with_holes_is_refused():
    good = {"distance_deg_D": np.array([0.0, 1.0]), "depth_km_Z": np.array([0.0, 9.0]), "source": ""}
    with pytest.raises(ProblemError, match="holds nan"):
        TravelTimes(time_s_DZ=np.array([[0.0, 1.0], [np.nan, 1.0]]), **good)
    with pytest.raises(ProblemError, match="doesn't fit distances and depths"):
        TravelTimes(time_s_DZ=np.zeros((3, 2)), **good)
    with pytest.raises(ProblemError, match="must ascend"):
        TravelTimes(time_s_DZ=np.zeros((2, 2)), **{**good, "depth_km_Z": np.array([9.0, 0.0])})


def test_the_computed_table_is_within_a_third_of_a_second_of_ak135(shared_data):
    path = shared_data / "extrapolation" / TRAVEL_TIMES
    if not path.exists():
        pytest.skip("skipped: no shared data")
    theirs = read_travel_times(path)
    distances = theirs.distance_deg_D[theirs.distance_deg_D <= 95][::5]
    ours = computed_table(distances, theirs.depth_km_Z[::4])
    assert np.abs(ours.time_s_DZ - theirs.time_s_DZ[: 5 * len(distances) : 5, ::4]).max() < 1 / 3

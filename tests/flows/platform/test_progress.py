"""Where a run is, in lines where nobody watches a bar, with an estimate from the run before."""

import pytest

from flows.platform import progress
from flows.platform.progress import Progress


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))


def test_stations_are_lines_and_the_next_run_knows_how_long_they_take(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    for run, took in ((0, 600.0), (1, 30.0), (2, 30.0)):
        with Progress("some flow", ("read", "learn")) as station:
            station("read")
            assert station.left() == ["", "about 11 min left", "about 8 min left"][run]
            now += took / 10
            station("learn")
            now += took
    said = capsys.readouterr().err
    assert "[1/2] read\n" in said
    assert "[2/2] learn" in said
    assert "[1/2] read about 11 min left" in said


def test_a_run_that_fails_leaves_the_estimate_as_it_was():
    with pytest.raises(ValueError, match="not in tuple"), Progress("some flow", ("read",)) as station:
        station("learn")
    assert Progress("some flow", ("read",)).left() == ""


def test_parts_of_a_station_are_named_and_counted(capsys):
    with Progress("some flow", ("learn",)) as station:
        station("learn")
        begin = station.parts(3)
        for name in ("knn", "mlp"):
            begin(name)
        assert station._part == "mlp (2 of 3)"
        station.doing("vectors of all prompts")
        assert station._part == "vectors of all prompts"


def test_what_is_said_is_printed_for_the_log(capsys, monkeypatch):
    with Progress("some flow", ("learn",)) as station:
        station.say("note: 3 rows were set aside [really]")
    assert capsys.readouterr().out == "note: 3 rows were set aside [really]\n"

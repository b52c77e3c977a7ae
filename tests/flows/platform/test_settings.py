"""What the environment becomes before the heavy libraries read it."""

import os
import sysconfig

import pytest

from flows.platform import paths
from flows.platform.settings import prepare_environment


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """An environment that nobody prepared, of an installation of its own."""
    ours = ("PREFECT", "MLFLOW", "POINTSMAN", "NUMBA")
    monkeypatch.setattr(os, "environ", {n: v for n, v in os.environ.items() if not n.startswith(ours)})
    os.environ["POINTSMAN_HOME"] = str(tmp_path)


@pytest.mark.usefixtures("bare")
def test_machine_code_is_kept_beside_the_libraries_where_every_home_finds_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    prepare_environment()
    assert "NUMBA_CACHE_DIR" not in os.environ


@pytest.mark.usefixtures("bare")
def test_machine_code_is_kept_in_the_home_where_the_libraries_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "nowhere"))
    prepare_environment()
    assert os.environ["NUMBA_CACHE_DIR"] == str(paths.numba())


@pytest.mark.usefixtures("bare")
def test_what_the_user_has_set_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path / "nowhere"))
    os.environ |= {"NUMBA_CACHE_DIR": "/mine", "OMP_NUM_THREADS": "7"}
    prepare_environment()
    assert (os.environ["NUMBA_CACHE_DIR"], os.environ["OMP_NUM_THREADS"]) == ("/mine", "7")

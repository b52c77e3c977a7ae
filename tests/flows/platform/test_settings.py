"""What the environment becomes before the heavy libraries read it."""

import os
import sysconfig

import pytest

from flows.platform import paths
from flows.platform.settings import prepare_environment, settings


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


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("bad", ["nonsense", "10.0.0.1:5000", "ftp://me:secret@mlflow"])
def test_an_address_that_mlflow_does_not_know_is_refused_and_not_quoted(bad):
    os.environ["POINTSMAN_MLFLOW_URI"] = bad
    with pytest.raises(ValueError, match="POINTSMAN_MLFLOW_URI must be the address of an MLflow server") as refused:
        prepare_environment()
    assert bad not in str(refused.value)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("good", ["", "http://mlflow:5000", "sqlite:////there/mlflow.db", "postgresql+psycopg2://db/x"])
def test_an_address_that_mlflow_knows_is_taken_and_an_empty_one_is_none(good):
    os.environ["POINTSMAN_MLFLOW_URI"] = good
    prepare_environment()
    assert settings().tracking_uri == (good or f"sqlite:///{paths.mlruns() / 'mlflow.db'}")


@pytest.mark.usefixtures("bare")
def test_in_an_emergency_nobody_asks_the_database_or_waits_for_mlflow():
    os.environ["POINTSMAN_DATABASE"] = "postgresql://me:secret@127.0.0.1:1/line"
    prepare_environment(emergency=True)
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "0"
    assert settings().tracking_uri.startswith("postgresql+psycopg2://")

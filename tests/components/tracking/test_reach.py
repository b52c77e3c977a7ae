"""What is told of an MLflow that can't be used."""

import pytest

from components.tracking.reach import Unreachable, cause_of, reaching, shown
from components.tracking.registry import Registry


def test_a_server_that_is_not_there_is_one_line_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Unreachable, match=r"MLflow at http://127.0.0.1:1 can't be used: .*refused") as told:
        Registry("http://me:secret@127.0.0.1:1", tmp_path)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_here_keeps_its_own_error():
    with pytest.raises(OSError, match="No space left"), reaching("sqlite:///mlflow.db"):
        raise OSError("No space left")


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("postgresql+psycopg2://me:secret@db:5432/line?options=x", "postgresql+psycopg2://db:5432/line"),
        ("http://mlflow:5000", "http://mlflow:5000"),
    ],
)
def test_an_address_is_told_without_what_is_nobodys_business(uri, told):
    assert shown(uri) == told


def test_the_cause_is_where_it_began():
    first, second, third = ConnectionRefusedError("refused\nat once"), RuntimeError("two"), RuntimeError("three")
    second.__context__, third.__cause__ = first, second
    assert cause_of(third) == "refused"
    assert cause_of(TimeoutError()) == "TimeoutError"

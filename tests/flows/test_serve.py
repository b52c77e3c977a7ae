"""`pointsman serve`: which token it asks for, and where routers may be."""

import pytest

from pointsman.cli import main
from pointsman.home import published
from pointsman.serving import app as serving


@pytest.fixture
def served(monkeypatch):
    """What would have been served, instead of serving it until interrupted."""
    seen = {}
    monkeypatch.setattr(serving, "serve", lambda path, **given: seen.update(path=path, **given))
    monkeypatch.delenv("POINTSMAN_SERVE_TOKEN", raising=False)
    return seen


def test_loopback_and_no_token_unless_told(served, capsys):
    assert main(["serve"]) == 0
    assert (served["host"], served["config"].token, served["path"]) == ("127.0.0.1", None, published())
    assert capsys.readouterr().err == ""
    main(["serve", "--host", "0.0.0.0", "--router", "s3://bucket/routers"])
    assert served["path"] == "s3://bucket/routers"
    assert "no token" in capsys.readouterr().err


def test_the_token_comes_from_a_file_or_the_environment(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("POINTSMAN_SERVE_TOKEN", "from-environment")
    main(["serve", "--host", "0.0.0.0"])
    assert served["config"].token == "from-environment"
    assert capsys.readouterr().err == ""
    (tmp_path / "token").write_text("from-file\n")
    main(["serve", "--token-file", str(tmp_path / "token")])
    assert served["config"].token == "from-file"


def test_an_empty_token_lets_nobody_in(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("POINTSMAN_SERVE_TOKEN", "")
    assert main(["serve"]) == 2
    assert "empty token" in capsys.readouterr().err
    assert main(["serve", "--token-file", str(tmp_path / "none")]) == 2
    assert served == {}

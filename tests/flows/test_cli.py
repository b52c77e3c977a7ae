"""Exit codes that scripts rely on."""

from pointsman.cli import main


def test_an_unforeseen_error_ends_otherwise_than_a_refusal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    # a folder where the history's file should be: none of our messages is about that
    (tmp_path / "data" / "published" / "history.jsonl").mkdir(parents=True)
    assert main(["history"]) == 3
    assert "IsADirectoryError" in capsys.readouterr().err

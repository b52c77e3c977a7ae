"""The demonstration, its training and serving left to their own tests."""

from pathlib import Path

import pytest

import flows.tour
from components.tables.store import read_tables
from flows.tour import CANDIDATES, NEWCOMER, TourConfig, take_tour
from pointsman.cli import main


def test_every_step_is_run_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setattr(flows.tour, "ask_server", lambda *_: None)
    ran = []

    def run(arguments: list[str]) -> int:
        ran.append(arguments[0])
        return main(arguments) if arguments[0] in ("collect", "grade") else 0

    assert take_tour(tmp_path, TourConfig(prompts=25), run) == 0
    assert ran == ["collect", "grade", "retrain", "onboard"]
    tables = read_tables(tmp_path / "logs")
    assert tables.outcomes.height == 25 * len(CANDIDATES)
    assert tables.outcomes["quality"].null_count() == 0
    assert NEWCOMER in tables.candidates["model"].to_list()
    assert NEWCOMER not in tables.outcomes["model"].to_list()
    assert "$ pointsman collect" in capsys.readouterr().out


def test_it_ends_where_a_step_fails(tmp_path: Path) -> None:
    assert take_tour(tmp_path, TourConfig(prompts=20), lambda arguments: 2 * (arguments[0] == "grade")) == 2

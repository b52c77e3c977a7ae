"""The demonstration: its steps in order, and, slow, the whole of it as a newcomer starts it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flows.tour
from components.sources.planted.world import World
from components.tables.store import read_tables
from flows.tour import CANDIDATES, NEWCOMER, TourConfig, take_tour
from pointsman.cli import main


def test_every_step_is_run_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    asked: list[str] = []

    def served(_: Path, __: Path, prompts: list[str], ___: World) -> None:
        asked.extend(prompts)

    monkeypatch.setattr(flows.tour, "ask_server", served)
    ran = []

    def run(arguments: list[str]) -> int:
        ran.append(arguments[0])
        return main(arguments) if arguments[0] in ("collect", "grade") else 0

    assert take_tour(tmp_path, TourConfig(prompts=25, requests=5), run) == 0
    assert ran == ["collect", "grade", "retrain", "import", "onboard", "history"]
    tables = read_tables(tmp_path / "logs")
    assert tables.outcomes.height == 25 * len(CANDIDATES)
    assert tables.outcomes["quality"].null_count() == 0
    assert NEWCOMER in tables.candidates["model"].to_list()
    assert NEWCOMER not in tables.outcomes["model"].to_list()
    assert len(asked) == 5
    assert not set(asked) & set(tables.prompts["prompt"])
    assert "$ pointsman collect" in capsys.readouterr().out


def test_it_ends_where_a_step_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert take_tour(tmp_path, TourConfig(prompts=20), lambda arguments: 2 * (arguments[0] == "grade")) == 2
    assert "The demonstration ends here: the last command ended with 2." in capsys.readouterr().out


@pytest.mark.slow
def test_a_newcomer_sees_all_of_it_without_a_key(tmp_path: Path) -> None:
    """Twice, for a demonstration begins anew."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "pointsman", "demo", "--prompts", "400", "--home", str(tmp_path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        for line in (
            "1200 answers added",
            "1600 grades by judge; 1600 of 1600 outcomes have a quality",
            "40 new prompts were routed",
            f"{NEWCOMER} was added to",
            "verdict: promoted",
        ):
            assert line in done.stdout, line
        assert "Traceback" not in done.stdout + done.stderr
    assert not (tmp_path / "data" / "published").exists()

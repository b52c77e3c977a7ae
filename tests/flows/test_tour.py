"""The demonstration: its steps in order, and, slow, the whole of it as a newcomer starts it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import flows.tour
from components.sources.planted.world import World
from components.tables.store import read_tables
from flows.tour import CANDIDATES, NEWCOMER, TourConfig, run_tour, take_tour
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


def test_it_begins_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    (tmp_path / "data" / "demo" / "tour" / "logs").mkdir(parents=True)
    found: list[list[Path]] = []
    monkeypatch.setattr(flows.tour, "take_tour", lambda home, _: found.append(list(home.iterdir())) or 0)
    assert run_tour(25, 0) == 0
    assert found == [[]]
    with pytest.raises(ValueError, match="--prompts must be >= 20, got 19"):
        run_tour(19, 0)


@pytest.mark.slow
def test_a_newcomer_sees_all_of_it_without_a_key(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_KEY")}
    done = subprocess.run(
        [sys.executable, "-m", "pointsman", "demo", "--home", str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    for line in (
        "2400 answers added",
        "3200 grades by judge; 3200 of 3200 outcomes have a quality",
        "40 new prompts were routed",
        f"{NEWCOMER} was added to the router in service",
        "verdict: promoted",
    ):
        assert line in done.stdout, line
    assert "Traceback" not in done.stdout + done.stderr
    # what was said to be spent on the way is what the gateway charged
    steps = [float(usd) for usd in re.findall(r"(?:spent: |for )(\d+\.\d+)(?: USD)", done.stdout)]
    assert len(steps) == 4
    (total,) = re.findall(r"Simulated USD spent: (\d+\.\d+)", done.stdout)
    assert sum(steps) == pytest.approx(float(total), abs=0.006)
    # the newcomer is worth having
    (share,) = re.findall(r"chosen on (\d+\.\d)% of them", done.stdout)
    assert float(share) > 5
    # the installation that it was started in has no router from it
    assert not (tmp_path / "data" / "published").exists()

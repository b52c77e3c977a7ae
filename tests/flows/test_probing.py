"""What an onboarding buys before anything is fitted, against the planted gateway."""

from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import flows.probing
from components.asking.client import Client
from components.grading.folder import GradedFolder, JudgeRequest
from components.sources.planted.world import PlantedConfig, World, generate
from components.sources.planted_gateway import GatewayConfig, PlantedGateway, serving
from components.tables.store import Tables, read_tables, write_tables
from flows.probing import probe
from pointsman.cli import main

NEW = "delve-reasoner"


@pytest.fixture(scope="module")
def world() -> World:
    return generate(PlantedConfig(prompts=60, seed=5))


@pytest.fixture
def logs(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Client, "pause", lambda *_: None)
    none = world.tables.outcomes.clear()
    write_tables(
        Tables(prompts=world.tables.prompts, candidates=world.tables.candidates, outcomes=none), tmp_path / "l"
    )
    return tmp_path / "l"


def dying(gateway: PlantedGateway, after: int) -> Callable[[], None]:
    """Has the gateway refuse after some answers; what mends it."""
    whole = gateway.complete
    gateway.complete = lambda body: whole(body) if sum(gateway.calls.values()) < after else (402, "{}")  # type: ignore[method-assign]

    def mend() -> None:
        gateway.complete = whole  # type: ignore[method-assign]

    return mend


def asked(gateway: PlantedGateway) -> Counter[str]:
    calls: Counter[str] = Counter()
    for (model, _), count in gateway.calls.items():
        calls[model] += count
    return calls


def options(logs: Path, url: str, **changes: Any) -> Namespace:
    asked = {"data": logs, "url": url, "model": NEW, "budget": 5.0, "judge": None, "probes": 20}
    return Namespace(**asked | {"max_output_tokens": 1024} | changes)


def test_a_collect_that_was_cut_off_is_not_the_newcomers(
    world: World, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = PlantedGateway(world)
    mend = dying(gateway, 10)
    with serving(gateway) as url:
        collect = ["--data", str(logs), "--url", url, "--budget", "2", "--candidates", "fennel-3b"]
        assert main(["collect", *collect]) == 2
        mend()
        before = asked(gateway)
        capsys.readouterr()
        probe(options(logs, url))
    assert asked(gateway) - before == {NEW: 20}
    out = capsys.readouterr().out
    assert "note: a run that was cut off, with " in out
    assert f"20 answers of {NEW} for" in out


def test_outcomes_without_quality_and_text_are_no_probes(world: World, logs: Path) -> None:
    tables = read_tables(logs)
    bare = world.tables.outcomes.filter(pl.col("model") == NEW).head(30)
    bare = bare.with_columns(pl.lit(None, pl.Float64).alias("quality"), pl.lit(None, pl.String).alias("graded_by"))
    write_tables(Tables(prompts=tables.prompts, candidates=tables.candidates, outcomes=bare), logs)
    gateway = PlantedGateway(world)
    with serving(gateway) as url:
        probe(options(logs, url, judge="planted-judge"))
        assert asked(gateway) == {NEW: 20, "planted-judge": 20}
        probe(options(logs, url, judge="planted-judge"))
        assert asked(gateway)[NEW] == 20
        # more than there are prompts: what can be bought is
        probe(options(logs, url, judge="planted-judge", probes=200))
        assert asked(gateway)[NEW] == 30
        probe(options(logs, url, judge="planted-judge", probes=200))
    assert asked(gateway)[NEW] == 30
    assert read_tables(logs).outcomes["quality"].drop_nulls().len() == 30


def test_a_run_cut_off_while_the_judge_was_at_work_keeps_to_its_budget(
    world: World, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: list[float] = []
    real = flows.probing.grade_folder

    def spy(folder: Path, by: Any, request: JudgeRequest | None = None, *rest: Any) -> GradedFolder:
        allowed.extend([] if request is None else [request.budget_usd])
        return real(folder, by, request, *rest)

    monkeypatch.setattr(flows.probing, "grade_folder", spy)
    gateway = PlantedGateway(world)
    mend = dying(gateway, 25)
    with serving(gateway) as url:
        with pytest.raises(ValueError, match="HTTP 402"):
            probe(options(logs, url, judge="planted-judge"))
        mend()
        probe(options(logs, url, judge="planted-judge"))
        assert asked(gateway)[NEW] == 20
        assert max(gateway.calls.values()) == 1
        spent = 5.0 - allowed[0]
        assert spent > 0
        assert allowed == [allowed[0], allowed[0]]
        # once it is done, the next one has a budget of its own
        probe(options(logs, url, judge="planted-judge"))
    assert allowed[2] == 5.0
    assert not (logs / "journal" / "onboard.json").exists()


def test_a_judge_that_came_to_its_end_leaves_nothing_to_go_on_with(world: World, logs: Path) -> None:
    gateway = PlantedGateway(world, GatewayConfig(constant=1.0))
    with serving(gateway) as url, pytest.raises(ValueError, match="gave 1 to all 20 answers"):
        probe(options(logs, url, judge="planted-judge"))
    assert not (logs / "journal" / "onboard.json").exists()

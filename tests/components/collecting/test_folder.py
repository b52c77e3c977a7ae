"""A purchase that was cut off, met by the same command and by another."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from components.asking.client import Client
from components.asking.journal import Journal
from components.asking.purchase import Progress
from components.collecting.choosing import CollectConfig, plan_folder, plan_path
from components.collecting.folder import CollectedFolder, collect_folder, prepare
from components.sources.planted.world import World
from components.sources.planted_gateway import PlantedGateway
from components.tables.store import Tables, read_tables, write_tables

Open = Callable[..., tuple[PlantedGateway, Client]]
FIRST = CollectConfig(budget_usd=2.0, candidates=("fennel-3b",), prompts=30, max_output_tokens=100)


class Killed(BaseException):
    """Ends a run as a kill would: nothing after it is written."""


@pytest.fixture
def logs(world: World, tmp_path: Path) -> Path:
    none = world.tables.outcomes.clear()
    write_tables(
        Tables(prompts=world.tables.prompts, candidates=world.tables.candidates, outcomes=none), tmp_path / "l"
    )
    return tmp_path / "l"


def _collect(logs: Path, client: Client, config: CollectConfig, tell: Callable[[Progress], None]) -> CollectedFolder:
    return collect_folder(logs, config, prepare(logs, config), client.endpoint, tell)


def _cut_off(logs: Path, client: Client) -> None:
    def kill(progress: Progress) -> None:
        if progress.done >= 6:
            raise Killed

    with pytest.raises(Killed):
        _collect(logs, client, FIRST, kill)
    assert read_tables(logs).outcomes.is_empty()


def _asked(gateway: PlantedGateway) -> Counter[str]:
    calls: Counter[str] = Counter()
    for (model, _), count in gateway.calls.items():
        calls[model] += count
    return calls


def test_the_same_command_goes_on(logs: Path, open_gateway: Open) -> None:
    gateway, client = open_gateway()
    _cut_off(logs, client)
    found = _collect(logs, client, FIRST, lambda _: None)
    assert (found.answers, _asked(gateway)) == (30, {"fennel-3b": 30})


@pytest.mark.parametrize(
    ("changes", "answers"),
    [
        ({"max_output_tokens": 400}, {"fennel-3b": 20}),
        ({"candidates": ("aster-mini-2",)}, {"aster-mini-2": 20}),
        ({"purpose": "onboard"}, {"fennel-3b": 20}),
    ],
)
def test_another_command_ends_it_and_buys_what_it_was_asked_for(
    logs: Path, open_gateway: Open, changes: dict[str, Any], answers: dict[str, int]
) -> None:
    gateway, client = open_gateway()
    _cut_off(logs, client)
    before = _asked(gateway)
    config = CollectConfig(**{"budget_usd": 2.0, "candidates": ("fennel-3b",), "prompts": 20} | changes)
    # a dry run only says so
    told = plan_folder(logs, config)
    assert told.other
    assert not told.goes_on
    assert "was asked for other candidates, prompts or lengths" in told.notices[-1]
    assert read_tables(logs).outcomes.is_empty()
    plan = prepare(logs, config)
    kept = read_tables(logs).outcomes
    # calls that were under way are noted too
    assert kept.height == before["fennel-3b"] >= 6
    assert f"its answers are kept ({kept.height} more are in the tables now)" in plan.notices[0]
    assert kept["propensity"].to_list() == pytest.approx([0.5 * kept.height / 30] * kept.height)
    assert not plan_path(logs).exists()
    found = collect_folder(logs, config, plan, client.endpoint)
    assert (found.answers, found.problem) == (20, None)
    assert _asked(gateway) - before == answers
    assert max(gateway.calls.values()) == 1
    assert not plan_path(logs).exists()


def test_an_answer_whose_text_was_forgotten_is_not_paid_for_again(logs: Path, open_gateway: Open) -> None:
    gateway, client = open_gateway()
    whole = gateway.complete
    gateway.complete = lambda body: whole(body) if sum(gateway.calls.values()) < 10 else (402, "{}")  # type: ignore[method-assign]
    assert _collect(logs, client, FIRST, lambda _: None).problem
    # by `pointsman forget --prompt-id`, which can't wait for a purchase
    with Journal(logs / "journal" / "collect.jsonl") as journal:
        journal.forget()
    gateway.complete = whole  # type: ignore[method-assign]
    _collect(logs, client, FIRST, lambda _: None)
    assert max(gateway.calls.values()) == 1
    assert read_tables(logs).outcomes.select(pl.struct("prompt_id", "model").n_unique()).item() == 30


def test_a_seed_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"--seed must be >= 0, got -1"):
        CollectConfig(budget_usd=1.0, seed=-1)

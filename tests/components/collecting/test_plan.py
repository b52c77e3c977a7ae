from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from components.asking.client import Client
from components.asking.journal import Journal
from components.asking.purchase import buy
from components.asking.question import Price
from components.collecting.bill import estimate, usual_output_tokens
from components.collecting.plan import append, collected, goes_on, question_of, read_plan, write_plan
from components.sources.planted.world import World
from components.sources.planted_gateway import PlantedGateway

PRICE = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=5.0)


def test_the_answered_part_of_a_plan_becomes_rows(
    open_gateway: Callable[..., tuple[PlantedGateway, Client]], world: World, tmp_path: Path
) -> None:
    _, client = open_gateway()
    prompts = world.tables.prompts.head(10).select("prompt_id", "prompt").rows()
    questions = [question_of(prompt, "fennel-3b", 200) for _, prompt in prompts]
    plan = pl.DataFrame(
        {
            "key": [q.key for q in questions],
            "prompt_id": [i for i, _ in prompts],
            "model": "fennel-3b",
            "inclusion": 0.5,
            "before": 0.1,
        }
    )
    write_plan(tmp_path / "plan.parquet", plan)
    with Journal(tmp_path / "j") as journal:
        buy(questions[:4], client, {"fennel-3b": PRICE}, 1.0, journal)
        found = collected(read_plan(tmp_path / "plan.parquet"), journal)
    assert found.outcomes["prompt_id"].to_list() == [i for i, _ in prompts[:4]]
    assert found.outcomes["propensity"].to_list() == pytest.approx([1 - 0.9 * 0.8] * 4)
    assert found.outcomes["quality"].null_count() == 4
    assert found.outcomes["latency_ms"].null_count() == found.outcomes["cost_usd"].null_count() == 0
    assert found.responses["response"].str.contains("step by step").all()
    assert append(found.responses.head(2), found.responses).rows() == found.responses.rows()
    assert append(None, found.responses).height == 4


def test_the_bill_is_tokens_times_price() -> None:
    outcomes = pl.DataFrame({"model": ["a"] * 5 + ["b"], "output_tokens": [100] * 5 + [700]})
    assert usual_output_tokens(outcomes, ["a", "b", "c"]).tolist() == [100, 200, 200]
    bill = estimate(["x" * 400, "y" * 400], ["a", "b"], {"a": PRICE, "b": PRICE}, {"a": 100.0, "b": 200.0})
    assert bill.usd == pytest.approx((200 * 1 + 300 * 5) / 1e6)
    assert bill.answers == 2
    assert "all" in str(bill)


@pytest.mark.parametrize(
    ("asked_for", "length", "prompt", "same"),
    [("a", 100, "hello", True), ("b", 100, "hello", False), ("a", 400, "hello", False), ("a", 100, "goodbye", False)],
)
def test_a_plan_is_gone_on_with_by_what_asks_for_the_same(
    tmp_path: Path, asked_for: str, length: int, prompt: str, same: bool
) -> None:
    cells = pl.DataFrame({"prompt_id": ["p"], "model": "m", "inclusion": 1.0, "before": 0.0})
    cells = cells.with_columns(pl.lit(question_of("hello", "m", 100).key).alias("key"))
    write_plan(tmp_path / "plan.parquet", cells, "a")
    prompts = pl.DataFrame({"prompt_id": ["p"], "prompt": [prompt]})
    assert goes_on(read_plan(tmp_path / "plan.parquet"), prompts, asked_for, length) is same
    # a plan of an earlier version doesn't say what it was asked for
    cells.write_parquet(tmp_path / "old.parquet")
    assert not goes_on(read_plan(tmp_path / "old.parquet"), prompts, asked_for, length)
    assert not goes_on(read_plan(tmp_path / "nowhere.parquet"), prompts, asked_for, length)

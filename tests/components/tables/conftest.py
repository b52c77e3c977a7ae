"""Small sound tables that each test spoils in one way."""

import polars as pl
import pytest

from components.tables.casting import shaped
from components.tables.schema import CANDIDATES, OUTCOMES, PROMPTS
from components.tables.store import Tables

WORDS = ("red", "blue", "green", "brown", "black", "white", "grey", "pink", "gold", "mauve")


def make_tables(count: int = 200) -> Tables:
    """`count` distinct prompts in four benchmarks, three candidates, every outcome observed, costs exact."""
    prompts = pl.DataFrame(
        {
            "prompt_id": [f"p{i}" for i in range(count)],
            "prompt": [f"{WORDS[i % 10]} {WORDS[i // 10 % 10]} {i}" for i in range(count)],
            "benchmark": [f"b{i % 4}" for i in range(count)],
        }
    )
    candidates = pl.DataFrame(
        {"model": ["small", "middle", "large"], "input_usd_per_mtok": [0.1, 1, 10], "output_usd_per_mtok": [0.4, 4, 40]}
    )
    outcomes = (
        prompts.select("prompt_id")
        .with_row_index("i")
        .join(candidates.with_row_index("j"), how="cross")
        .select(
            "prompt_id",
            "model",
            quality=((pl.col("i") + pl.col("j")) % 3 / 2).cast(pl.Float64),
            input_tokens=pl.lit(100),
            output_tokens=50 + pl.col("i").cast(pl.Int64),
            price_in="input_usd_per_mtok",
            price_out="output_usd_per_mtok",
        )
        .with_columns(
            cost_usd=(pl.col("input_tokens") * pl.col("price_in") + pl.col("output_tokens") * pl.col("price_out")) / 1e6
        )
    )

    return Tables(
        prompts=shaped(prompts, PROMPTS),
        candidates=shaped(candidates, CANDIDATES),
        outcomes=shaped(outcomes, OUTCOMES),
    )


@pytest.fixture
def tables() -> Tables:
    return make_tables()

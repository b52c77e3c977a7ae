import polars as pl

COST_TOLERANCE = 0.05
"""Largest relative gap between a logged cost and tokens x price that isn't counted."""


def cost_agrees(tolerance: float) -> pl.Expr:
    """Whether `cost_usd` is tokens x price within a relative tolerance; true where one of them isn't known.

    Half a micro-dollar is let pass besides: logs round to the sixth decimal. A gap is no fault: caches, batch prices
    and long-context tiers make it, and what was charged is believed.
    """
    input_usd = pl.col("input_tokens") * pl.col("input_usd_per_mtok")
    expected = (input_usd + pl.col("output_tokens") * pl.col("output_usd_per_mtok")) / 1e6
    return ((pl.col("cost_usd") - expected).abs() <= tolerance * expected + 5e-7).fill_null(True)

"""What each model charges: by the table of candidates, else by what is assumed, which is said."""

from collections.abc import Mapping, Sequence

import polars as pl

from components.asking.question import Price

ASSUMED = Price(input_usd_per_mtok=5.0, output_usd_per_mtok=25.0)
"""Of a model whose price nobody knows: more than most charge, so that a budget holds."""


def known_prices(candidates: pl.DataFrame) -> dict[str, Price]:
    """Prices of the candidates that have both.

    Args:
        candidates: model, input_usd_per_mtok, output_usd_per_mtok.
    """
    rows = candidates.select("model", "input_usd_per_mtok", "output_usd_per_mtok").drop_nulls().rows()
    return {model: Price(input_usd_per_mtok=given, output_usd_per_mtok=taken) for model, given, taken in rows}


def prices_for(models: Sequence[str], known: Mapping[str, Price]) -> tuple[dict[str, Price], list[str]]:
    """A price of each model, and the models whose price is assumed: the most expensive of the known ones, or more.

    >>> prices_for(["m"], {})[1]
    ['m']
    """
    most = Price(
        input_usd_per_mtok=max([ASSUMED.input_usd_per_mtok, *(p.input_usd_per_mtok for p in known.values())]),
        output_usd_per_mtok=max([ASSUMED.output_usd_per_mtok, *(p.output_usd_per_mtok for p in known.values())]),
    )
    return {model: known.get(model, most) for model in models}, [model for model in models if model not in known]

"""What candidates cost: fitted to what calls were charged where that holds, else from a table of prices."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.casting import cast_frame, shaped
from components.tables.errors import TableError
from components.tables.json_rows import frame_of_rows
from components.tables.reading import read_frame
from components.tables.schema import CANDIDATES

_CLOSE = 0.02
"""Relative gap up to which a call's charge is explained by fitted prices; logs round to the sixth decimal besides."""
_MOST = 0.95
"""Share of calls that must be explained."""
_ROUNDING = 5e-7
_ROUNDING_OF_PRICES = 1e-5
"""USD per million tokens below 0 that a price of nothing may be fitted to, since the others are rounded."""
FITTED = "fitted to the cost of"
"""How the note of a price begins that was worked out here."""
PRICES = ("input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok")
_OF_PRICES = (*PRICES, "price_as_of", "price_note")
_TOKENS = ("input_tokens", "cached_tokens", "output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPrices:
    """USD per million tokens."""

    input_usd: float
    output_usd: float
    cached_usd: float | None
    """Of input tokens from the provider's cache; None: no call used it."""
    calls: int
    """How many calls they were fitted to."""


def fit_prices(
    input_K: NDArray[np.float64],
    cached_K: NDArray[np.float64],
    output_K: NDArray[np.float64],
    cost_usd_K: NDArray[np.float64],
) -> FittedPrices | None:
    """Least squares of what K calls were charged on their tokens; None where no prices explain it.

    First the calls without cached tokens tell the two list prices, then the others the price of cached ones. They hold
    if they are not negative, come from more calls than there are prices and explain 95 % of the calls to 2 %.

    Args:
        input_K: input tokens, cached ones included.
        cached_K: input tokens from the provider's cache.
        output_K: output tokens.
        cost_usd_K: what the calls cost.

    >>> tokens = np.array([10.0, 40.0, 5.0]), np.zeros(3), np.array([5.0, 7.0, 90.0])
    >>> fit_prices(*tokens, (3 * tokens[0] + 15 * tokens[2]) / 1e6)
    FittedPrices(input_usd=3.0, output_usd=15.0, cached_usd=None, calls=3)
    """
    plain = cached_K == 0
    prices_2 = _solve(np.stack([input_K, output_K], axis=1)[plain], cost_usd_K[plain])
    if prices_2 is None:
        return None
    if plain.all():
        return FittedPrices(input_usd=prices_2[0], output_usd=prices_2[1], cached_usd=None, calls=input_K.size)
    rest_K = cost_usd_K - ((input_K - cached_K) * prices_2[0] + output_K * prices_2[1]) / 1e6
    cached_1 = _solve(cached_K[~plain][:, None], rest_K[~plain])
    if cached_1 is None:
        return None
    return FittedPrices(input_usd=prices_2[0], output_usd=prices_2[1], cached_usd=cached_1[0], calls=input_K.size)


def _solve(tokens_KP: NDArray[np.float64], cost_usd_K: NDArray[np.float64]) -> list[float] | None:
    if tokens_KP.shape[0] <= tokens_KP.shape[1]:
        return None
    prices_P, _, rank, _ = np.linalg.lstsq(tokens_KP, cost_usd_K * 1e6, rcond=None)
    if rank < tokens_KP.shape[1] or prices_P.min() < -_ROUNDING_OF_PRICES:
        return None
    prices_P = np.maximum(prices_P, 0.0)
    told_K = tokens_KP @ prices_P / 1e6
    explained_K = np.abs(told_K - cost_usd_K) <= _CLOSE * np.abs(cost_usd_K) + _ROUNDING
    return [float(price) for price in prices_P.round(6)] if explained_K.mean() >= _MOST else None


def fitted_candidates(calls: pl.DataFrame) -> pl.DataFrame:
    """A candidates table with the models of the calls, priced where a fit holds.

    Args:
        calls: `model`, `input_tokens`, `cached_tokens`, `output_tokens`, `cost_usd`, `decided_at`.
    """
    rows = []
    for (model,), group in calls.sort("model").group_by(["model"], maintain_order=True):
        row: dict[str, object] = {"model": model}
        known = group.drop_nulls(["input_tokens", "output_tokens", "cost_usd"])
        sent, cached, written = (known[name].fill_null(0).cast(pl.Float64).to_numpy() for name in _TOKENS)
        fit = fit_prices(sent, cached, written, known["cost_usd"].to_numpy())
        if fit is not None:
            latest = known["decided_at"].dt.strftime("%Y-%m").max()
            row |= {
                "input_usd_per_mtok": fit.input_usd,
                "output_usd_per_mtok": fit.output_usd,
                "cached_input_usd_per_mtok": fit.cached_usd,
                "price_as_of": latest,
                "price_note": f"{FITTED} {fit.calls} calls",
            }
        rows.append(row)
    return shaped(pl.DataFrame(rows, infer_schema_length=None), CANDIDATES)


def read_prices(path: Path, models: Collection[str]) -> pl.DataFrame:
    """A table of candidates, cut to some models: list, object by model, or LiteLLM's price map.

    A model that isn't in it by its own name is looked for behind the last slash: `openai/gpt-4o` is `gpt-4o`.

    Raises:
        TableError: unreadable, or a price that is none.
    """
    if path.suffix == ".json":
        frame = _by_model(path, models)
    else:
        frame = read_frame(path, CANDIDATES)
        if "model" in frame.columns:
            frame = frame.filter(pl.col("model").is_in(list(models)))
    return cast_frame(frame, path, CANDIDATES)


def _by_model(path: Path, models: Collection[str]) -> pl.DataFrame:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise TableError(f"{path}: can't be read as json: {error}") from error
    if isinstance(content, list):
        content = {row.get("model"): row for row in content if isinstance(row, dict)}
    if not isinstance(content, dict):
        raise TableError(f"{path}: must be a list of objects with 'model', or an object of prices by model")
    short: dict[str, str] = {}
    for name in content:
        short.setdefault(str(name).rsplit("/", 1)[-1], name)
    names = {name for column in CANDIDATES.columns for name in (column.name, *(alias for alias, _ in column.aliases))}
    rows = []
    for model in sorted(models):
        found = content.get(model) or content.get(short.get(model, "")) or content.get(model.rsplit("/", 1)[-1])
        if isinstance(found, dict):
            rows.append({key: value for key, value in found.items() if key in names} | {"model": model})
    return frame_of_rows(CANDIDATES, rows) if rows else pl.DataFrame(schema={"model": pl.String()})


def layered(models: Sequence[str], layers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One table of candidates from several, the first of them that knows a thing deciding.

    Prices and what is said of them come from one table together, for half of one price list and half of another is
    no price list.

    Args:
        models: the rows.
        layers: tables of candidates, the most trusted first.
    """
    result = pl.DataFrame({"model": list(models)}, schema={"model": pl.String()})
    for number, layer in enumerate(layers):
        names = {name: f"{name}\0{number}" for name in CANDIDATES.dtypes if name != "model"}
        result = result.join(layer.unique("model", keep="first").rename(names), on="model", how="left")
    columns = [_first_layer(name, len(layers)) for name in CANDIDATES.dtypes if name != "model"]
    return result.select("model", *columns)


def _first_layer(name: str, layers: int) -> pl.Expr:
    values = [pl.col(f"{name}\0{layer}") for layer in range(layers)]
    if name not in _OF_PRICES:
        return pl.coalesce(values).alias(name)
    chosen = pl.lit(None)
    for layer in reversed(range(layers)):
        priced = pl.any_horizontal(pl.col(f"{price}\0{layer}").is_not_null() for price in PRICES[:2])
        chosen = pl.when(priced).then(values[layer]).otherwise(chosen)
    return chosen.alias(name)

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.sources.prices import fit_prices, layered, read_prices
from components.tables.casting import shaped
from components.tables.schema import CANDIDATES


def tokens(calls: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.integers(10, 5000, calls).astype(float), draw.integers(1, 900, calls).astype(float)


@given(
    sent=st.floats(0, 100),
    written=st.floats(0, 500),
    cached=st.floats(0, 10),
    calls=st.integers(6, 60),
    seed=st.integers(0, 99),
)
def test_prices_that_were_charged_are_recovered(
    sent: float, written: float, cached: float, calls: int, seed: int
) -> None:
    input_K, output_K = tokens(calls, seed)
    cached_K = np.where(np.arange(calls) % 2, np.floor(input_K / 3), 0.0)
    cost_K = ((input_K - cached_K) * sent + cached_K * cached + output_K * written) / 1e6
    fit = fit_prices(input_K, cached_K, output_K, cost_K)
    assert fit is not None
    assert (fit.input_usd, fit.output_usd, fit.cached_usd) == pytest.approx((sent, written, cached), abs=2e-6)


def test_rounding_to_the_sixth_decimal_is_borne() -> None:
    input_K, output_K = tokens(200, 0)
    fit = fit_prices(input_K, np.zeros(200), output_K, ((input_K * 0.1 + output_K * 0.4) / 1e6).round(6))
    assert fit is not None
    assert (fit.input_usd, fit.output_usd) == pytest.approx((0.1, 0.4), rel=0.02)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda cost_K: np.where(np.arange(cost_K.size) % 3, cost_K, 0),  # a third came from a cache unsaid
        lambda cost_K: np.where(np.arange(cost_K.size) % 2, cost_K, cost_K / 2),  # half at a batch price
        lambda cost_K: -cost_K,
        lambda cost_K: cost_K + 0.01,  # a fee a call
    ],
)
def test_what_no_prices_explain_has_none(spoil) -> None:
    input_K, output_K = tokens(60, 1)
    assert fit_prices(input_K, np.zeros(60), output_K, spoil((input_K * 3 + output_K * 15) / 1e6)) is None


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_as_many_prices_as_calls_explain_anything(calls: int) -> None:
    input_K, output_K = tokens(calls, 2)
    assert fit_prices(input_K, np.zeros(calls), output_K, (input_K + output_K) / 1e6) is None


def test_calls_of_one_length_tell_no_two_prices() -> None:
    assert fit_prices(np.full(9, 10.0), np.zeros(9), np.full(9, 20.0), np.full(9, 1e-4)) is None


def test_prices_of_one_list_are_not_mixed_with_anothers() -> None:
    first = shaped(pl.DataFrame({"model": ["a", "b"], "input_usd_per_mtok": [1.0, None]}), CANDIDATES)
    second = shaped(
        pl.DataFrame({"model": ["a", "b"], "output_usd_per_mtok": [7.0, 8.0], "context_window": [10, 20]}), CANDIDATES
    )
    table = layered(["a", "b", "c"], [first, second])
    assert dict(table.schema) == CANDIDATES.dtypes
    assert table.select("model", "input_usd_per_mtok", "output_usd_per_mtok", "context_window").rows() == [
        ("a", 1.0, None, 10),
        ("b", None, 8.0, 20),
        ("c", None, None, None),
    ]


def test_an_odd_capability_of_one_model_leaves_the_others_theirs(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"a": {"capabilities": ["vision"]}, "b": {"capabilities": "tools,json"}}))
    assert read_prices(path, ["a", "b"])["capabilities"].to_list() == [["vision"], ["tools", "json"]]

"""Prices of today for a router of yesterday: what candidates cost changes more often than what they can do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pointsman.bundle.manifest import Candidate
from pointsman.model.cost import TOKENS_PER_MTOK, CostHead
from pointsman.model.router_model import RouterModel

_LARGEST = 50_000_000
"""Bytes of a file of prices that is read."""
_FORMS = (
    ("input_usd_per_mtok", "output_usd_per_mtok", 1.0),
    # as LiteLLM's model_prices_and_context_window.json has them
    ("input_cost_per_token", "output_cost_per_token", TOKENS_PER_MTOK),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of one candidate."""

    input_usd_per_mtok: float
    """USD per million input tokens, >= 0."""
    output_usd_per_mtok: float
    """USD per million output tokens, >= 0."""


def read_prices(path: Path, models: Sequence[str]) -> dict[str, Price]:
    """Prices of those candidates that a JSON file names; it may name others, which aren't looked at.

    An object of objects: name -> `input_usd_per_mtok` and `output_usd_per_mtok`, or `input_cost_per_token` and
    `output_cost_per_token`. An entry without either is passed over.

    Raises:
        ValueError: no such file, or a price that can't be; the message names file, candidate and rule.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path}: at most {_LARGEST} bytes of prices are read")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError(f"{path} isn't JSON") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} must be an object: candidate -> prices")
    prices = {name: _price(path, name, found[name]) for name in models if isinstance(found.get(name), dict)}
    return {name: price for name, price in prices.items() if price is not None}


def _price(path: Path, name: str, entry: Mapping[str, Any]) -> Price | None:
    for given, taken, scale in _FORMS:
        if given in entry or taken in entry:
            usd: list[float] = []
            for value in (entry.get(given), entry.get(taken)):
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                    raise ValueError(f"{path}: {name}: {given} and {taken} must be numbers >= 0, got {value!r}")
                usd.append(scale * value)
            return Price(input_usd_per_mtok=usd[0], output_usd_per_mtok=usd[1])
    return None


def repriced(cost: CostHead, candidates: Sequence[Candidate], prices: Mapping[str, Price]) -> CostHead:
    """The head with other prices; candidates without any keep theirs.

    What calls were charged against tokens x price is kept: a provider's cache works at other prices as well. What is
    expected of a candidate whose tokens aren't known stays its mean logged cost.
    """
    given_M, taken_M = cost.input_usd_per_mtok_M.copy(), cost.output_usd_per_mtok_M.copy()
    for m, one in enumerate(candidates):
        if one.model in prices:
            price = prices[one.model]
            factor = _charged(one, given_M[m], taken_M[m])
            given_M[m], taken_M[m] = factor * price.input_usd_per_mtok, factor * price.output_usd_per_mtok
    return replace(cost, input_usd_per_mtok_M=given_M, output_usd_per_mtok_M=taken_M)


def _charged(listed: Candidate, given: float, taken: float) -> float:
    """By what a head's prices differ from a candidate's listed ones; 1 where either isn't known or is 0."""
    pairs = ((listed.output_usd_per_mtok, taken), (listed.input_usd_per_mtok, given))
    return next((float(ours / theirs) for theirs, ours in pairs if theirs and ours > 0), 1.0)


def with_prices(
    model: RouterModel, candidates: Sequence[Candidate], path: Path | None
) -> tuple[RouterModel, dict[str, Price]]:
    """A router by the prices of a file, and the prices that it goes by, where they are known whole.

    Raises:
        ValueError: as `read_prices`.
    """
    known = {
        one.model: Price(input_usd_per_mtok=one.input_usd_per_mtok, output_usd_per_mtok=one.output_usd_per_mtok)
        for one in candidates
        if one.input_usd_per_mtok is not None and one.output_usd_per_mtok is not None
    }
    if path is None:
        return model, known
    found = read_prices(path, [one.model for one in candidates])
    return replace(model, cost=repriced(model.cost, candidates, found)), {**known, **found}

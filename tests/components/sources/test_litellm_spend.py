import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from components.sources.litellm_spend import import_litellm_spend
from components.tables.store import TableError


def _line(prompt: str = "Hi", model: str = "a", sent: int = 10, written: int = 5, **changes: Any) -> dict[str, Any]:
    line = {
        "model": model,
        "spend": (sent * 3.0 + written * 15.0) / 1e6,
        "prompt_tokens": sent,
        "completion_tokens": written,
        "startTime": "2025-10-02T08:15:00Z",
        "messages": [{"role": "system", "content": "Be brief"}, {"role": "user", "content": prompt}],
        "metadata": {"quality": 1},
    }
    return line | changes


def test_calls_become_tables_and_prices_are_recovered(write_lines: Callable[..., Path]) -> None:
    tables = import_litellm_spend(
        write_lines(
            _line(),
            _line("Bye", sent=40, written=7, metadata=json.dumps({"quality": 0.5, "benchmark": "chat"})),
            _line("Why?", sent=5, written=90, messages=json.dumps([{"role": "user", "content": "Why?"}])),
        )
    )
    assert tables.prompts["prompt"].to_list() == ["Hi", "Bye", "Why?"]
    assert tables.prompts["benchmark"].to_list() == ["litellm", "chat", "litellm"]
    assert tables.prompts["created_at"].dt.date().to_list() == [date(2025, 10, 2)] * 3
    assert tables.candidates.select("input_usd_per_mtok", "output_usd_per_mtok").row(0) == pytest.approx((3, 15))
    assert tables.outcomes["quality"].to_list() == [1, 0.5, 1]


def test_the_last_of_repeated_calls_counts(write_lines: Callable[..., Path]) -> None:
    again = _line(sent=11, written=2, metadata={"quality": 0})
    tables = import_litellm_spend(write_lines(_line(), _line("Bye", sent=9, written=30), again))
    assert tables.outcomes["quality"].to_list() == [0, 1]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (_line(metadata={}), "line 2: 'quality' must be a number"),
        (_line(metadata=None), "line 2: 'metadata' must be an object"),
        (_line(messages="[oops"), "line 2: 'messages' is text that isn't JSON"),
        (_line(messages=[{"role": "system", "content": "x"}]), "line 2: 'messages' holds no message of the user"),
        (_line(startTime="yesterday"), "line 2: 'startTime' must start with"),
        (_line(spend=-1), "line 2: 'spend' must lie"),
        (_line(model="b"), "the spend of model"),
    ],
)
def test_bad_lines_are_named(write_lines: Callable[..., Path], bad: Any, message: str) -> None:
    with pytest.raises(TableError, match=message):
        import_litellm_spend(write_lines(_line(), bad))

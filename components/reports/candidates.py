"""What a report judged candidates by beside their quality: prices, and how long their calls took."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HEAD = ("candidate", "USD per million tokens in", "out", "timed calls", "half within, ms", "95 % within, ms")


def candidate_facts(
    models: Sequence[str], input_usd_M: Floats, output_usd_M: Floats, latency_ms_NM: Floats
) -> list[dict[str, Any]]:
    """Plain JSON, one entry a candidate; what is unknown is None.

    Args:
        models: names of the M candidates.
        input_usd_M: USD per million tokens, nan: unknown.
        output_usd_M: the same of what they write.
        latency_ms_NM: of each logged call, nan: none, or not timed.
    """
    facts = []
    for m, name in enumerate(models):
        timed = latency_ms_NM[:, m][np.isfinite(latency_ms_NM[:, m])]
        half, most = np.quantile(timed, (0.5, 0.95)).tolist() if timed.size else (None, None)
        facts.append(
            {
                "model": name,
                "input_usd_per_mtok": _known(input_usd_M[m]),
                "output_usd_per_mtok": _known(output_usd_M[m]),
                "timed": int(timed.size),
                "p50_ms": half,
                "p95_ms": most,
            }
        )
    return facts


def candidate_rows(facts: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The same for a table; empty where neither a price nor a time is known of anybody."""
    if not any(one["timed"] or one["input_usd_per_mtok"] is not None for one in facts):
        return []
    names = ("input_usd_per_mtok", "output_usd_per_mtok", "timed", "p50_ms", "p95_ms")
    return [(one["model"], *(_text(one[name]) for name in names)) for one in facts]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _text(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"

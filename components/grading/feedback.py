"""What users do as grades: thumbs, stars, and the same prompt asked again."""

import math
import re
from typing import Any

import polars as pl

_UP = frozenset({"up", "thumbs_up", "thumbsup", "like", "positive", "true", "yes", "1", "+1", "1.0", "good", "👍"})
_DOWN = frozenset(
    {"down", "thumbs_down", "thumbsdown", "dislike", "negative", "false", "no", "0", "-1", "0.0", "-1.0", "bad", "👎"}
)
RETRY_WINDOW_S = 600.0
"""The same prompt within ten minutes in one conversation counts as a retry."""


def thumb(value: Any) -> float | None:
    """1 for a thumb up, 0 for one down, None for neither.

    >>> thumb("up"), thumb(-1), thumb(True), thumb("")
    (1.0, 0.0, 1.0, None)
    """
    # without the colour of a thumb's skin, and the sign that asks for a picture
    word = re.sub("[\U0001f3fb-\U0001f3ff\ufe0f]", "", str(value)).strip().lower()
    return 1.0 if word in _UP else 0.0 if word in _DOWN else None


def stars(value: float, most: int = 5) -> float:
    """Stars from 1 to `most` as a grade in [0, 1].

    Raises:
        ValueError: out of range.

    >>> stars(1), stars(4), stars(5)
    (0.0, 0.75, 1.0)
    """
    if not 1 <= value <= most:
        raise ValueError(f"stars must be in [1, {most}], got {value:g}")
    return (value - 1) / (most - 1)


def read_stars(value: Any) -> float | None:
    """Stars as they stand in a file, numbers as text too, as a grade in [0, 1]; None: no number.

    Raises:
        ValueError: out of range.

    >>> read_stars("5"), read_stars(3), read_stars("great")
    (1.0, 0.5, None)
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else stars(number)


def retries(asked: pl.DataFrame, window_s: float = RETRY_WINDOW_S) -> pl.DataFrame:
    """Answers after which the same conversation asked the same prompt again: a weak sign that they were no good.

    Args:
        asked: prompt_id, model, prompt, conversation_id, decided_at (a datetime); rows without the last two are left
            out, for nothing is known of what came after them.
        window_s: seconds within which asking again counts, > 0.

    Returns:
        prompt_id, model, grade: 0 for an answer that was asked for again. The last answer of a chain has no grade: no
        retry is no praise.

    Raises:
        ValueError: window_s isn't positive.
    """
    if not window_s > 0:
        raise ValueError(f"window_s must be > 0 seconds, got {window_s}")
    known = asked.drop_nulls(["conversation_id", "decided_at"]).sort("decided_at")
    text = pl.col("prompt").str.strip_chars().str.to_lowercase()
    gap = pl.col("decided_at").shift(-1).over("conversation_id", text) - pl.col("decided_at")
    again = known.filter(gap.dt.total_microseconds() <= window_s * 1e6)
    return again.select("prompt_id", "model", pl.lit(0.0).alias("grade"))

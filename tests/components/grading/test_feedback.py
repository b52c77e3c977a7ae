from datetime import datetime, timedelta

import polars as pl
import pytest

from components.grading.feedback import read_stars, retries, stars, thumb


def test_thumbs_in_many_spellings() -> None:
    assert [thumb(value) for value in (1, "Up", "thumbs_down", False, None, "maybe")] == [1, 1, 0, 0, None, None]


def test_thumbs_as_pictures_and_words() -> None:
    assert [thumb(value) for value in ("👍", "👍🏽", "👎", "good", "Bad", "🤷")] == [1, 1, 0, 1, 0, None]


def test_stars_as_text() -> None:
    assert [read_stars(value) for value in ("5", " 2.0 ", 3, "great", None, "nan")] == [1, 0.25, 0.5, None, None, None]
    with pytest.raises(ValueError, match=r"stars must be in \[1, 5\], got 7"):
        read_stars("7")


def test_stars_out_of_range() -> None:
    assert stars(3) == 0.5
    with pytest.raises(ValueError, match=r"stars must be in \[1, 5\]"):
        stars(0)


def test_only_the_answer_that_was_asked_for_again_is_graded() -> None:
    start = datetime(2026, 1, 1)
    asked = pl.DataFrame(
        {
            "prompt_id": ["a", "b", "c", "d", "e"],
            "model": ["m", "n", "m", "m", "m"],
            "prompt": ["Sum it", "sum it ", "Sum it", "Sum it", "Other"],
            "conversation_id": ["1", "1", "1", "2", None],
            "decided_at": [start + timedelta(seconds=s) for s in (0, 30, 5000, 10, 20)],
        }
    )
    assert retries(asked).rows() == [("a", "m", 0.0)]
    with pytest.raises(ValueError, match="window_s must be > 0"):
        retries(asked, 0)

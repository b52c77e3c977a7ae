"""Rank Biased Overlap: a published example, a brute-force reference, ties, missing outcomes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.tasks.preference import agreement, extrapolate, rank_biased_overlap, ranks

LEFT, RIGHT = np.array([0]), np.array([1])


def prefix(quality: dict[int, float], depth: int) -> set[int]:
    return {i for i, q in quality.items() if 1 + sum(other > q for other in quality.values()) <= depth}


def brute_force(left, right, p, depth=None):
    """Webber's definition on Python sets, one pair at a time."""
    common = [i for i in range(len(left)) if not np.isnan(left[i]) and not np.isnan(right[i])]
    s, t = {i: left[i] for i in common}, {i: right[i] for i in common}
    if len(common) < 2 or len(set(s.values())) < 2 or len(set(t.values())) < 2:
        return float("nan")
    k = len(common) if depth is None else min(depth, len(common))
    a = []
    for d in range(1, k + 1):
        x, y = prefix(s, d), prefix(t, d)
        a.append(2 * len(x & y) / (len(x) + len(y)))
    return a[-1] * p**k + (1 - p) / p * sum(value * p ** (d + 1) for d, value in enumerate(a))


def rankings_of_seven():
    """Figure 2 of Webber et al.: a b c d e f g against z c a v w x y, unlisted items tied below rank seven."""
    items = "abcdefgzvwxy"
    return np.array([[max(0, 7 - listed.find(i)) if i in listed else 0 for i in items] for listed in EXAMPLE], float)


EXAMPLE = ("abcdefg", "zcavwxy")


def test_the_published_example_of_agreement_and_average_overlap():
    rank = ranks(rankings_of_seven())
    a = agreement(rank[:1], rank[1:], 7)[0]
    np.testing.assert_allclose(a, [0, 0, 0.667, 0.5, 0.4, 0.333, 0.286], atol=5e-4)
    np.testing.assert_allclose(np.cumsum(a) / np.arange(1, 8), [0, 0, 0.222, 0.292, 0.313, 0.317, 0.312], atol=6e-4)


def test_the_published_example_extrapolated_by_hand():
    a = [0, 0, 2 / 3, 1 / 2, 2 / 5, 1 / 3, 2 / 7]
    by_hand = 2 / 7 * 0.9**7 + 0.1 * sum(x * 0.9**d for d, x in enumerate(a))
    assert rank_biased_overlap(rankings_of_seven(), LEFT, RIGHT, p=0.9, depth=7)[0] == pytest.approx(by_hand)


outcomes = arrays(np.float64, (6, 5), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, float("nan")]))


@settings(max_examples=60, deadline=None)
@given(quality=outcomes, p=st.sampled_from([0.5, 0.8, 0.95]), depth=st.sampled_from([None, 1, 3, 9]))
def test_agrees_with_brute_force_on_ties_and_gaps(quality, p, depth):
    left, right = (side.ravel() for side in np.meshgrid(np.arange(6), np.arange(6)))
    expected = [brute_force(quality[i], quality[j], p, depth) for i, j in zip(left, right, strict=True)]
    np.testing.assert_allclose(rank_biased_overlap(quality, left, right, p=p, depth=depth), expected, atol=1e-12)


def test_chunks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    quality = rng.integers(0, 3, (40, 6)).astype(float)
    quality[rng.random(quality.shape) < 0.2] = np.nan
    left, right = rng.integers(0, 40, (2, 300))
    whole = rank_biased_overlap(quality, left, right)
    monkeypatch.setattr("components.tasks.preference.CHUNK_CELLS", 50)
    np.testing.assert_array_equal(rank_biased_overlap(quality, left, right), whole)


def test_same_outcomes_overlap_fully_whatever_their_ties():
    quality = np.array([[1, 1, 0, 0, 0.5]] * 2, float)
    assert rank_biased_overlap(quality, LEFT, RIGHT)[0] == pytest.approx(1)


def test_only_candidates_seen_on_both_sides_count():
    nan = np.nan
    quality = np.array([[0.9, 0.1, 0.5, nan], [0.9, nan, 0.5, 1.0]])
    assert rank_biased_overlap(quality, LEFT, RIGHT)[0] == pytest.approx(1)


@pytest.mark.parametrize(
    "quality",
    [[[0.5, 0.5], [1.0, 0.0]], [[1.0, np.nan], [np.nan, 0.0]], [[1.0, np.nan], [1.0, 0.0]], [[1.0], [0.0]]],
    ids=["all equal", "nothing in common", "one in common", "one candidate"],
)
def test_no_preference_is_undefined(quality):
    assert np.isnan(rank_biased_overlap(np.array(quality), LEFT, RIGHT)[0])


@pytest.mark.parametrize("p", [0.0, 1.0, float("nan")])
def test_persistence_has_a_range(p):
    with pytest.raises(ValueError, match="p must be"):
        rank_biased_overlap(np.eye(2), LEFT, RIGHT, p=p)
    with pytest.raises(ValueError, match="p must be"):
        extrapolate(np.ones((1, 1)), p)


def test_bad_depth_and_sides_are_refused():
    with pytest.raises(ValueError, match="depth"):
        rank_biased_overlap(np.eye(2), LEFT, RIGHT, depth=0)
    with pytest.raises(ValueError, match="equal and flat"):
        rank_biased_overlap(np.eye(2), LEFT, np.array([0, 1]))

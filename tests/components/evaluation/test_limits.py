"""The estimate of what can be read from prompts at all, where it is known."""

import numpy as np
import pytest

from tests.benchmarks.limits_case import agreement, by_label, parts, twins


def test_twins_agree_by_the_share_that_their_text_decides():
    draw = np.random.default_rng(0)
    pairs, candidates = 4000, 5
    group_N = np.repeat(np.arange(pairs), 2)
    # of the departures' variance .3 is the text's and .7 the draw's; of the difficulty's .8 and .2
    text_NM = draw.normal(size=(pairs, candidates))[group_N]
    noise_NM = draw.normal(size=(2 * pairs, candidates))
    ease_N, luck_N = draw.normal(size=pairs)[group_N], draw.normal(size=2 * pairs)
    departs_NM = np.sqrt(0.3) * text_NM + np.sqrt(0.7) * noise_NM
    departs_NM -= departs_NM.mean(axis=1, keepdims=True)
    quality_NM = departs_NM + (np.sqrt(0.8) * ease_N + np.sqrt(0.2) * luck_N)[:, None]
    shared_N1, departure_NM = parts(quality_NM)
    first_P, second_P = twins(group_N)
    assert first_P.size == pairs
    for value, share in ((departure_NM, 0.3), (shared_N1, 0.8)):
        found, error = agreement(value, first_P, second_P)
        assert found == pytest.approx(share, abs=4 * error)
        assert 0 < error < 0.05


def test_a_label_explains_what_it_decides():
    label_N = np.array(["a", "b", "b", "a"])
    assert by_label(np.array([[1.0], [-1.0], [-1.0], [1.0]]), label_N) == pytest.approx(1.0)
    assert by_label(np.array([[1.0], [1.0], [-1.0], [-1.0]]), label_N) == pytest.approx(0.0)


def test_twins_are_neighbours_within_a_group():
    first_P, second_P = twins(np.array([3, 1, 3, 2, 3]))
    assert sorted(zip(first_P.tolist(), second_P.tolist(), strict=True)) == [(0, 2), (2, 4)]

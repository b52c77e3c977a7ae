"""Regret: closed forms, a brute-force reference, and each promised error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.evaluation.regret import Tradeoff, regret, utility

unit = st.floats(0, 1)
matrices = arrays(np.float64, (5, 3), elements=unit)


@given(quality=matrices, cost=matrices, w=st.floats(0.01, 100))
def test_utility_agrees_with_a_loop(quality, cost, w):
    expected = [[q - c / w for q, c in zip(qs, cs, strict=True)] for qs, cs in zip(quality, cost, strict=True)]
    np.testing.assert_allclose(utility(quality, cost, Tradeoff(willingness_to_pay=w)), expected)


@given(quality=matrices, cost=matrices)
def test_cost_does_not_matter_when_quality_is_priceless(quality, cost):
    np.testing.assert_array_equal(utility(quality, cost, Tradeoff()), quality)


@given(u=matrices)
def test_the_oracle_has_no_regret(u):
    np.testing.assert_array_equal(regret(u, u.argmax(axis=1)), np.zeros(5))


@given(u=matrices, choice=arrays(np.intp, 5, elements=st.integers(0, 2)), shift=st.permutations(range(3)))
def test_renaming_candidates_changes_nothing(u, choice, shift):
    renamed = u[:, shift]
    np.testing.assert_array_equal(regret(renamed, np.argsort(shift)[choice]), regret(u, choice))


def test_inputs_are_left_as_they_were():
    u = np.array([[0.2, 0.9]])
    before = u.copy()
    regret(u, np.array([0]))
    np.testing.assert_array_equal(u, before)


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"quality \(2, 3\) and cost \(2, 2\) differ"):
        utility(np.zeros((2, 3)), np.zeros((2, 2)), Tradeoff())


@pytest.mark.parametrize("w", [0.0, -1.0, float("nan")])
def test_a_price_of_quality_must_be_positive(w):
    with pytest.raises(ValueError, match="must be > 0"):
        Tradeoff(willingness_to_pay=w)


def test_an_unknown_candidate_is_refused():
    with pytest.raises(IndexError):
        regret(np.zeros((1, 2)), np.array([2]))

"""Regret: closed forms, a brute-force reference, and each promised error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.evaluation.regret import regret

unit = st.floats(0, 1)
matrices = arrays(np.float64, (5, 3), elements=unit)


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


def test_an_unknown_candidate_is_refused():
    with pytest.raises(IndexError):
        regret(np.zeros((1, 2)), np.array([2]))

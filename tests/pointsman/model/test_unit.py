import numpy as np
from sklearn.preprocessing import normalize

from pointsman.model.unit import unit_rows


def test_rows_are_scikit_learns_and_a_row_of_zeros_stays_one():
    rows = np.random.default_rng(0).normal(size=(20, 7))
    rows[3] = 0
    np.testing.assert_allclose(unit_rows(rows), normalize(rows), atol=1e-6)

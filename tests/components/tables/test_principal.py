import numpy as np
from sklearn.decomposition import PCA

from components.tables.principal import principal_directions


def test_directions_are_those_of_a_principal_component_analysis():
    draw = np.random.default_rng(0)
    rows = (draw.normal(size=(300, 7)) * np.array([9, 7, 5, 4, 3, 2, 1]) + 20).astype(np.float32)
    expected = PCA(3).fit(rows).components_
    found = principal_directions(rows, 3)[:, ::-1].T
    np.testing.assert_allclose(np.abs((found * expected).sum(axis=1)), 1, atol=1e-4)


def test_there_are_no_more_directions_than_features():
    rows = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    found = principal_directions(rows, 64)
    np.testing.assert_allclose(found.T @ found, np.eye(4), atol=1e-6)

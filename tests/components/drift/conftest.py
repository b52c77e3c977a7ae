import numpy as np
import pytest

from tests.fixtures.tiny_router import bundle, parts, prompts, second

__all__ = ["bundle", "parts", "prompts", "second"]


def _cloud(draws, centre_CD, count, spread=0.15):
    rows_ND = centre_CD[draws.integers(0, len(centre_CD), count)] + spread * draws.normal(size=(count, 16))
    return (rows_ND / np.linalg.norm(rows_ND, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def world():
    """Draws unit vectors around known centres, or around one that nobody has seen."""
    centre_CD = np.linalg.qr(np.random.default_rng(0).normal(size=(16, 16)))[0]

    def draw(count, seed, new=0):
        draws = np.random.default_rng(seed)
        return np.concatenate([_cloud(draws, centre_CD[:6], count - new), _cloud(draws, centre_CD[6:7], new)])

    return draw

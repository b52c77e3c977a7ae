import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from pointsman.model.novelty import Novelty
from pointsman.model.unit import unit_rows

RANDOM = np.random.default_rng(0)
NOVELTY = Novelty(
    centroid_CD=unit_rows(RANDOM.normal(size=(7, 5)).astype(np.float32)), floor=np.array(0.5, dtype=np.float32)
)
PROMPTS = (3 * RANDOM.normal(size=(40, 5))).astype(np.float32)


def test_similarity_is_the_cosine_to_the_nearest_point() -> None:
    cosine_NC = cosine_similarity(PROMPTS, NOVELTY.centroid_CD)
    np.testing.assert_allclose(NOVELTY.similarity(PROMPTS), cosine_NC.max(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(NOVELTY.novel(PROMPTS), cosine_NC.max(axis=1) < 0.5)


def test_the_nearest_points_come_nearest_first() -> None:
    cosine_C = cosine_similarity(PROMPTS[:1], NOVELTY.centroid_CD)[0]
    found = NOVELTY.nearest(PROMPTS[:1], 3)
    assert [number for number, _ in found] == np.argsort(-cosine_C)[:3].tolist()
    assert [cosine for _, cosine in found] == pytest.approx(np.sort(cosine_C)[::-1][:3].tolist(), rel=1e-5)


def test_no_more_points_are_named_than_there_are() -> None:
    assert len(NOVELTY.nearest(PROMPTS[:1], 100)) == 7

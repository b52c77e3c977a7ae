from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from components.embeddings.distil import DistilConfig, distil, sif_weights
from pointsman.text.tokens import Tokens

V, B, D = 40, 6, 5


def drawn(prompts, seed, vocabulary=V):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, size=prompts)
    token_E = (vocabulary * rng.random(lengths.sum()) ** 2).astype(np.int32)
    return Tokens(indptr_N1=np.concatenate([[0], np.cumsum(lengths)]), token_E=token_E)


def shares(tokens, common):
    weight_V = sif_weights(np.bincount(tokens.token_E, minlength=V), common)
    share_NV = np.zeros((tokens.length_N.size, V))
    np.add.at(share_NV, (np.repeat(np.arange(tokens.length_N.size), tokens.length_N), tokens.token_E), 1.0)
    share_NV *= weight_V
    return weight_V, share_NV / share_NV.sum(axis=1, keepdims=True)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def world():
    rng = np.random.default_rng(5)
    true_VD = rng.normal(size=(V, D)).astype(np.float32)
    start_VB = (true_VD @ rng.normal(size=(D, B)) + rng.normal(size=(V, B))).astype(np.float32)
    return true_VD, start_VB


def teacher(tokens, true_VD):
    return unit(shares(tokens, 1e-3)[1] @ true_VD)


def test_it_is_two_ridge_regressions(world):
    true_VD, start_VB = world
    tokens, config = drawn(60, 1), DistilConfig()
    teacher_ND = teacher(tokens, true_VD)
    weight_V, share_NV = shares(tokens, config.common)
    start_VB1 = np.hstack([start_VB, np.ones((V, 1))])
    square = (share_NV @ start_VB1).T @ (share_NV @ start_VB1)
    first = Ridge(alpha=config.shared_ridge * np.trace(square) / (B + 1), fit_intercept=False, solver="svd")
    first.fit(share_NV @ start_VB1, teacher_ND)
    second = Ridge(alpha=config.own_ridge * (share_NV**2).sum() / 60, fit_intercept=False, solver="svd")
    second.fit(share_NV, teacher_ND - first.predict(share_NV @ start_VB1))
    expected_VD = weight_V[:, None] * (start_VB1 @ first.coef_.T + second.coef_.T)
    np.testing.assert_allclose(distil(tokens, teacher_ND, start_VB, config), expected_VD, atol=2e-4)


def test_other_prompts_point_where_the_teacher_points(world):
    true_VD, start_VB = world
    learnt, others = drawn(400, 2), drawn(100, 3)
    vector_VD = distil(learnt, teacher(learnt, true_VD), start_VB, DistilConfig())
    _, share_NV = shares(others, 1e30)
    cosine_N = (unit(share_NV @ vector_VD) * teacher(others, true_VD)).sum(axis=1)
    plain_VD = start_VB @ np.linalg.lstsq(start_VB, true_VD)[0]
    plain_N = (unit(share_NV @ plain_VD) * teacher(others, true_VD)).sum(axis=1)
    assert cosine_N.mean() > plain_N.mean() + 0.02


def test_tokens_outside_the_sample_follow_the_shared_map(world):
    true_VD, start_VB = world
    learnt = drawn(400, 4, vocabulary=30)
    vector_VD = distil(learnt, teacher(learnt, true_VD), start_VB, DistilConfig(own_ridge=1e9))
    mixed_VD = distil(learnt, teacher(learnt, true_VD), start_VB, DistilConfig())
    np.testing.assert_allclose(vector_VD[30:], mixed_VD[30:], atol=1e-5)
    assert np.abs(vector_VD[:30] - mixed_VD[:30]).max() > 0.01


def test_the_same_prompts_give_the_same_vectors(world):
    true_VD, start_VB = world
    tokens = drawn(50, 6)
    first, second = (distil(tokens, teacher(tokens, true_VD), start_VB, DistilConfig()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_prompts_without_tokens_do_no_harm(world):
    _, start_VB = world
    tokens = Tokens(indptr_N1=np.array([0, 0, 2]), token_E=np.array([1, 2], dtype=np.int32))
    assert np.isfinite(distil(tokens, unit(np.ones((2, D))), start_VB, DistilConfig())).all()


def test_what_does_not_fit_is_refused(world):
    _, start_VB = world
    tokens = drawn(5, 7)
    with pytest.raises(ValueError, match="at least one prompt"):
        distil(tokens.take(np.array([], dtype=np.intp)), np.zeros((0, D), np.float32), start_VB, DistilConfig())
    with pytest.raises(ValueError, match="3 vectors for 5 tokenised prompts"):
        distil(tokens, np.zeros((3, D), np.float32), start_VB, DistilConfig())
    with pytest.raises(ValueError, match="beyond the vocabulary of 2"):
        distil(tokens, np.zeros((5, D), np.float32), start_VB[:2], DistilConfig())
    with pytest.raises(ValueError, match="must be > 0"):
        replace(DistilConfig(), own_ridge=0)

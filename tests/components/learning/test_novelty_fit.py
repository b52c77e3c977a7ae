import numpy as np
import pytest

from components.learning.novelty_fit import NoveltyConfig, fit_novelty, known_length


def cloud(rows: int, axes: list[int], seed: int):
    generator = np.random.default_rng(seed)
    point_ND = np.eye(16)[generator.choice(axes, size=rows)] + 0.05 * generator.normal(size=(rows, 16))
    return (point_ND / np.linalg.norm(point_ND, axis=1, keepdims=True)).astype(np.float32)


def test_only_prompts_unlike_all_training_are_novel():
    fitted = fit_novelty(cloud(400, [0, 1, 2], 0), cloud(200, [0, 1, 2], 1), NoveltyConfig(centroids=6), seed=0)
    assert fitted.novel(cloud(200, [0, 1, 2], 2)).mean() <= 0.02
    assert fitted.novel(cloud(50, [9], 3)).all()
    np.testing.assert_allclose(np.linalg.norm(fitted.centroid_CD, axis=1), 1, rtol=1e-5)


def test_more_rounds_bring_the_centroids_nearer():
    train_ND = cloud(300, list(range(8)), 0)
    mean = [
        fit_novelty(train_ND, train_ND, NoveltyConfig(centroids=12, rounds=rounds), seed=0).similarity(train_ND).mean()
        for rounds in (1, 6)
    ]
    assert mean[1] > mean[0]


def test_every_training_prompt_is_a_centroid_where_there_are_few():
    train_ND = cloud(5, [0, 1], 0)
    fitted = fit_novelty(train_ND, train_ND[:0], NoveltyConfig(), seed=0)
    np.testing.assert_allclose(fitted.similarity(train_ND), 1, rtol=1e-5)
    assert not fitted.novel(train_ND).any()


def test_the_floor_is_the_quantile_less_the_margin():
    train_ND, held_ND = cloud(50, [0, 1], 0), cloud(100, [0, 1], 1)
    fitted = fit_novelty(train_ND, held_ND, NoveltyConfig(centroids=4, quantile=0.25, margin=0), seed=0)
    assert fitted.novel(held_ND).sum() == 25


def test_zero_and_opposite_embeddings_are_survived():
    strange_ND = np.array([[1, 0], [-1, 0], [0, 0]], dtype=np.float32)
    fitted = fit_novelty(strange_ND, strange_ND, NoveltyConfig(centroids=1), seed=0)
    assert np.isfinite(fitted.centroid_CD).all()


def test_no_training_prompts_are_refused():
    with pytest.raises(ValueError, match="at least one training prompt"):
        fit_novelty(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), NoveltyConfig(), seed=0)


@pytest.mark.parametrize("bad", [{"centroids": 0}, {"rounds": -1}, {"quantile": 2.0}, {"margin": -0.1}])
def test_configs_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        NoveltyConfig(**bad)


def test_a_length_is_known_unless_hardly_a_group_reaches_it():
    draw = np.random.default_rng(0)
    tokens_N = draw.permutation(np.arange(1.0, 1001.0))
    alone_N = np.full(1000, -1)
    assert known_length(tokens_N, alone_N, 0.005) == 995
    # never more than nine groups are longer
    assert known_length(tokens_N, alone_N, 0.5) == 991
    # five hundred prompts of one template tell no more than its longest
    assert known_length(tokens_N, np.where(tokens_N > 500, 7, -1), 0.005) == 499
    assert known_length(tokens_N[:9], alone_N[:9], 0.005) == 0
    assert known_length(np.full(1000, np.nan), alone_N, 0.005) == 0

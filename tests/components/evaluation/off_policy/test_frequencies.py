import numpy as np

from components.evaluation.off_policy.frequencies import frequencies, frequency_model


def test_shares_are_counts_by_group() -> None:
    random = np.random.default_rng(0)
    seen_KM = random.random((60, 3)) < 0.4
    group_K = random.integers(0, 4, 60)
    found = frequencies(seen_KM, group_K, 5)
    assert found.shape == (5, 3)
    for group in range(4):
        np.testing.assert_allclose(found[group], seen_KM[group_K == group].mean(axis=0))
    assert not found[4].any()


def test_a_prompts_own_fold_tells_nothing_of_it() -> None:
    random = np.random.default_rng(1)
    seen_KM = random.random((40, 2)) < 0.5
    group_K, fold_K = random.integers(0, 2, 40), np.arange(40) % 4
    before = frequency_model(seen_KM, group_K, fold_K)
    changed = seen_KM.copy()
    changed[fold_K == 0] = ~changed[fold_K == 0]
    after = frequency_model(changed, group_K, fold_K)
    np.testing.assert_array_equal(before[fold_K == 0], after[fold_K == 0])
    assert (before[fold_K == 1] != after[fold_K == 1]).any()


def test_small_groups_are_drawn_to_the_share_of_all() -> None:
    # group 1 has one prompt a fold: with a prior of 3 prompts it weighs 1 to 3 against all eight others
    seen_KM = np.array([[True]] * 8 + [[False], [False]])
    group_K, fold_K = np.array([0] * 8 + [1, 1]), np.array([0, 1] * 5)
    found = frequency_model(seen_KM, group_K, fold_K, prior=3.0)
    overall = 4 / 5
    np.testing.assert_allclose(found[group_K == 1, 0], (0 + 3 * overall) / (1 + 3))
    np.testing.assert_allclose(found[group_K == 0, 0], (4 + 3 * overall) / (4 + 3))

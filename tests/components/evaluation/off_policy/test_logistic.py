import tracemalloc

import numpy as np
from numpy.typing import NDArray

from components.evaluation.off_policy.logistic import _frequent, logistic_model

ONE_GROUP = np.zeros(3000, dtype=np.intp)
FOLD = np.arange(3000) % 3


def contextual(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_]]:
    """Features, the chances of being asked and who was asked, one a prompt."""
    random = np.random.default_rng(seed)
    features_KF = random.normal(size=(3000, 4)).astype(np.float32)
    logits_KM = np.stack([1.0 * features_KF[:, 0], 0.5 * features_KF[:, 1], np.zeros(3000)], axis=1)
    chance_KM = np.exp(logits_KM) / np.exp(logits_KM).sum(axis=1, keepdims=True)
    asked_K = (random.random(3000)[:, None] < chance_KM.cumsum(axis=1)).argmax(axis=1)
    return features_KF, chance_KM, np.eye(3, dtype=bool)[asked_K]


def test_the_chances_of_a_contextual_policy_are_found() -> None:
    features_KF, chance_KM, seen_KM = contextual(0)
    found_KM = logistic_model(seen_KM, features_KF, ONE_GROUP, FOLD, strength=1.0)
    np.testing.assert_allclose(found_KM.sum(axis=1), 1.0)
    assert np.abs(found_KM - chance_KM).mean() < 0.02
    uniform_error = np.abs(seen_KM.mean(axis=0) - chance_KM).mean()
    assert np.abs(found_KM - chance_KM).mean() < uniform_error / 5


def test_candidates_asked_independently_get_models_of_their_own() -> None:
    random = np.random.default_rng(1)
    features_KF = random.normal(size=(3000, 2)).astype(np.float32)
    chance_KM = 1 / (1 + np.exp(-np.stack([features_KF[:, 0], -features_KF[:, 0]], axis=1)))
    seen_KM = random.random((3000, 2)) < chance_KM
    found_KM = logistic_model(seen_KM, features_KF, ONE_GROUP, FOLD, strength=1.0)
    assert np.abs(found_KM - chance_KM).mean() < 0.02


def test_a_prompts_own_fold_tells_nothing_of_it() -> None:
    features_KF, _, seen_KM = contextual(2)
    before = logistic_model(seen_KM, features_KF, ONE_GROUP, FOLD)
    seen_KM[FOLD == 0] = np.roll(seen_KM[FOLD == 0], 1, axis=1)
    after = logistic_model(seen_KM, features_KF, ONE_GROUP, FOLD)
    np.testing.assert_array_equal(before[FOLD == 0], after[FOLD == 0])
    assert (before[FOLD == 1] != after[FOLD == 1]).any()


def test_of_many_labels_the_frequent_have_columns_and_memory_stays_bounded() -> None:
    random = np.random.default_rng(4)
    # as many labels as prompts in the second half; in the first, one in which the other candidate is asked
    group_K = np.concatenate([np.arange(3000) % 2, 2 + np.arange(3000)])
    chance_K = np.where(group_K == 1, 0.9, 0.2)
    first_K = random.random(6000) < chance_K
    seen_KM, features_KF = np.stack([first_K, ~first_K], axis=1), random.normal(size=(6000, 2)).astype(np.float32)
    tracemalloc.start()
    found_KM = logistic_model(seen_KM, features_KF, group_K, np.arange(6000) % 3, strength=1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(found_KM[:, 0] - chance_K).mean() < 0.03
    assert peak < 60e6  # a column for each label: 144 MB, and as much again for each fold


def test_few_labels_have_a_column_each() -> None:
    group_K = np.random.default_rng(5).integers(0, 64, size=3000)
    np.testing.assert_array_equal(_frequent(group_K), group_K)
    many_K = np.concatenate([group_K, [64, 65, 65]])
    np.testing.assert_array_equal(_frequent(many_K), np.minimum(many_K, 64))


def test_who_was_asked_always_was_asked_for_sure() -> None:
    seen_KM = np.zeros((30, 2), dtype=bool)
    seen_KM[:, 1] = True
    found_KM = logistic_model(seen_KM, np.zeros((30, 2), dtype=np.float32), ONE_GROUP[:30], FOLD[:30])
    np.testing.assert_array_equal(found_KM, seen_KM.astype(np.float64))


def test_a_candidate_that_is_hardly_seen_has_its_share() -> None:
    random = np.random.default_rng(3)
    seen_KM = np.ones((300, 2), dtype=bool)
    seen_KM[:, 1] = False
    seen_KM[:3, 1] = True
    found_KM = logistic_model(seen_KM, random.normal(size=(300, 2)).astype(np.float32), ONE_GROUP[:300], FOLD[:300])
    for fold in range(3):
        np.testing.assert_allclose(found_KM[FOLD[:300] == fold, 1], seen_KM[FOLD[:300] != fold, 1].mean())

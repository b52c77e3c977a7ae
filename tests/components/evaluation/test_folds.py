import numpy as np
import pytest

from components.evaluation.folds import grouped_folds


def test_every_prompt_is_judged_once_and_its_like_never_train_it():
    draw = np.random.default_rng(0)
    group_N = draw.integers(150, size=400)
    label_N = np.array(["a", "b", "c"])[group_N % 3]
    seen = np.zeros(400, dtype=int)
    for train_K, test_K in grouped_folds(group_N, label_N, 5, seed=1):
        assert not set(group_N[train_K]) & set(group_N[test_K])
        assert sorted([*train_K, *test_K]) == list(range(400))
        assert set(label_N[test_K]) == {"a", "b", "c"}
        seen[test_K] += 1
    assert (seen == 1).all()


def test_seeds_divide_differently_and_the_same_seed_alike():
    group_N, label_N = np.arange(100), np.full(100, "a")
    first, again, other = (
        [test_K.tolist() for _, test_K in grouped_folds(group_N, label_N, 4, seed)] for seed in (0, 0, 1)
    )
    assert first == again != other


def test_one_fold_is_no_division():
    with pytest.raises(ValueError, match="2"):
        list(grouped_folds(np.arange(10), np.full(10, "a"), 1, 0))

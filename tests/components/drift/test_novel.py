import numpy as np
import pytest
from scipy import stats

from components.drift.config import DriftConfig
from components.drift.novel import enrichment, novel_groups

LEVEL = 0.001
CONFIG = DriftConfig()


def test_enrichment_is_fishers_exact_p_for_every_group():
    count_T, size_T = np.array([7, 1, 0]), np.array([8, 5, 4])
    exact = [
        stats.fisher_exact([[a, s - a], [30 - a, 70 - (s - a)]], alternative="greater").pvalue * 3
        for a, s in zip(count_T.tolist(), size_T.tolist(), strict=True)
    ]
    np.testing.assert_allclose(enrichment(count_T, size_T, 30, 70), np.minimum(exact, 1), rtol=1e-9)


def test_a_new_task_is_found_with_its_words(world):
    known = [f"sort the numbers in list {row}" for row in range(180)]
    prompts = known + [f"recipe with aubergine, onions and {row} tomatoes" for row in range(20)]
    groups, p = novel_groups(world(200, seed=1, new=20), world(400, seed=2), prompts, CONFIG, LEVEL, seed=0)
    assert len(groups) == 1
    assert groups[0].recent >= 18
    assert groups[0].reference == 0
    assert set(groups[0].row_K.tolist()) <= set(range(180, 200))
    assert set(groups[0].keywords[:4]) <= {"recipe", "aubergine", "onions", "tomatoes"}
    assert set(groups[0].examples) <= set(groups[0].row_K.tolist())
    assert p == groups[0].p < 1e-6


def test_prompts_without_a_direction_do_not_stop_it(world):
    recent_ND = world(200, seed=1, new=20)
    recent_ND[3] = 0
    groups, _ = novel_groups(recent_ND, world(400, seed=2), None, CONFIG, LEVEL, seed=0)
    assert [3 in group.row_K for group in groups] == [False]


def test_without_texts_the_group_has_no_words(world):
    groups, _ = novel_groups(world(200, seed=1, new=20), world(400, seed=2), None, CONFIG, LEVEL, seed=0)
    assert [group.keywords for group in groups] == [()]
    assert len(groups[0].examples) == 3


def test_nothing_is_novel_without_drift(world):
    found = [novel_groups(world(200, seed=s), world(400, seed=99), None, CONFIG, LEVEL, seed=s)[0] for s in range(10)]
    assert found == [()] * 10


def test_a_task_that_merely_grew_is_not_novel(world):
    reference_KD = np.concatenate([world(300, seed=2), world(60, seed=3, new=60)])
    recent_ND = np.concatenate([world(120, seed=4), world(80, seed=5, new=80)])
    groups, p = novel_groups(recent_ND, reference_KD, None, CONFIG, LEVEL, seed=0)
    assert (groups, p) == ((), 1.0)
    eager = DriftConfig(novel_fold=1.5)
    assert len(novel_groups(recent_ND, reference_KD, None, eager, LEVEL, seed=0)[0]) == 1


def test_too_few_prompts_for_groups_find_nothing(world):
    config = DriftConfig(novel_size=50)
    assert novel_groups(world(10, seed=0), world(20, seed=1), None, config, LEVEL, seed=0) == ((), 1.0)


def test_embeddings_of_another_width_are_refused(world):
    with pytest.raises(ValueError, match="dimension"):
        novel_groups(world(10, seed=0)[:, :8], world(20, seed=1), None, CONFIG, LEVEL, seed=0)


def test_stray_prompts_alone_are_grouped_and_told_from_the_rest(world):
    recent_ND, reference_KD = world(200, seed=1, new=12), world(400, seed=2)
    stray_N, stray_K = np.arange(200) >= 188, np.zeros(400, dtype=np.bool_)
    stray_N[3] = stray_K[5] = True
    prompts = [f"sort the numbers in list {row}" for row in range(188)] + ["cook aubergine with onions"] * 12
    groups, _ = novel_groups(recent_ND, reference_KD, prompts, CONFIG, 1.0, seed=0, stray=(stray_N, stray_K))
    assert sum(group.recent for group in groups) >= 11
    assert {row for group in groups for row in group.row_K.tolist()} <= {3, *range(188, 200)}
    assert groups[0].keywords[0] in {"cook", "aubergine", "onions"}
    nobody = (np.zeros(200, dtype=np.bool_), stray_K)
    assert novel_groups(recent_ND, reference_KD, prompts, CONFIG, 1.0, seed=0, stray=nobody) == ((), 1.0)

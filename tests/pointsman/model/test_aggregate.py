import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.model.aggregate import assign_tasks, mix, task_level


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), tasks=st.integers(1, 5), soft=st.booleans())
def test_the_task_level_stays_between_the_table_and_the_general_mean(seed, tasks, soft):
    generator = np.random.default_rng(seed)
    table_TM = generator.random((tasks, 3))
    posterior_NT = generator.dirichlet(np.ones(tasks), size=6)
    task_N = assign_tasks(posterior_NT, 0.5)
    general_M = table_TM.mean(axis=0)
    level_NM = task_level(posterior_NT, task_N, table_TM, general_M, "soft" if soft else "hard")
    assert (level_NM >= table_TM.min(axis=0) - 1e-12).all()
    assert (level_NM <= table_TM.max(axis=0) + 1e-12).all()


def test_hard_and_soft_agree_on_a_certain_posterior():
    table_TM = np.array([[0.1, 0.2], [0.3, 0.4]])
    certain_NT = np.eye(2)
    task_N = assign_tasks(certain_NT, 0.9)
    for posterior in ("hard", "soft"):
        assert task_level(certain_NT, task_N, table_TM, np.zeros(2), posterior).tolist() == table_TM.tolist()


def test_without_tasks_the_general_mean_speaks():
    none_NT = np.zeros((2, 0))
    task_N = assign_tasks(none_NT, 0.5)
    assert task_N.tolist() == [-1, -1]
    level_NM = task_level(none_NT, task_N, np.zeros((0, 2)), np.array([0.3, 0.4]), "soft")
    assert level_NM.tolist() == [[0.3, 0.4]] * 2


@pytest.mark.parametrize("alpha", [-0.1, 1.1, float("nan")])
def test_alpha_out_of_range_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha must be in"):
        mix(np.zeros((1, 1)), np.zeros((1, 1)), alpha)


def test_mixing_different_shapes_is_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        mix(np.zeros((1, 2)), np.zeros((1, 1)), 0.5)

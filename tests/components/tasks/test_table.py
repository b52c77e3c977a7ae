"""The task table: closed forms, an oracle world, candidates by brute force."""

import numpy as np
import pytest

from components.tasks.graph import nothing
from components.tasks.partition import from_labels
from components.tasks.table import label_quality, outcome_variance, shrink, task_candidates, task_table


def test_shrinkage_beats_plain_means_where_the_truth_is_known():
    rng = np.random.default_rng(0)
    variance = rng.uniform(0.05, 2.0, 400)
    truth = 0.7 * rng.normal(size=400)
    measured = truth + np.sqrt(variance) * rng.normal(size=400)
    bayes = measured * 0.49 / (0.49 + variance)
    ours = np.mean((shrink(measured, variance) - truth) ** 2)
    assert ours < 0.7 * np.mean((measured - truth) ** 2)
    assert ours < 1.05 * np.mean((bayes - truth) ** 2)


def test_effects_no_larger_than_their_noise_vanish():
    np.testing.assert_array_equal(shrink(np.array([0.1, -0.1]), np.array([1.0, 1.0])), [0, 0])


def test_what_was_not_measured_is_the_prior_mean():
    assert shrink(np.array([5.0, -5.0, 9.0]), np.array([1.0, 1.0, np.inf]))[2] == 0


def test_the_shrunken_table_is_nearer_to_the_truth_than_plain_means(draw):
    rng = np.random.default_rng(1)
    task = np.repeat(np.arange(30), 8)
    ability = np.clip(0.5 + 0.12 * rng.normal(size=(30, 5)), 0, 1)
    quality = (rng.random((240, 5)) < ability[task]).astype(float)
    table = task_table(from_labels(task, minimum_size=1), quality)
    assert np.mean((table.quality_TM - ability) ** 2) < 0.6 * np.mean((table.mean_TM - ability) ** 2)


def one_answer_a_task(draw):
    """Three candidates on every prompt of eight tasks, and a bad one with a single outcome in each."""
    truth_TM = np.tile([0.6, 0.65, 0.7, 0.3], (8, 1))
    task_N = np.repeat(np.arange(8), 60)
    quality_NM = (draw.random((480, 4)) < truth_TM[task_N]).astype(float)
    once_N = np.isin(np.arange(480), np.arange(8) * 60 + draw.integers(60, size=8))
    quality_NM[~once_N, 3] = np.nan
    return task_N, quality_NM, truth_TM


def thin(draw):
    """One answer a prompt, of few prompts a task, most of one candidate."""
    truth_TM = np.clip(0.5 + 0.2 * draw.normal(size=(8, 4)), 0.02, 0.98)
    task_N = np.repeat(np.arange(8), 30)
    seen_NM = np.eye(4, dtype=bool)[np.append(draw.choice(4, size=236, p=[0.7, 0.2, 0.08, 0.02]), np.arange(4))]
    return task_N, np.where(seen_NM, draw.random((240, 4)) < truth_TM[task_N], np.nan), truth_TM


@pytest.mark.parametrize(("world", "most"), [(one_answer_a_task, 0.012), (thin, 0.048)])
def test_one_answer_is_not_taken_for_certain(world, most):
    errors = []
    for seed in range(40):
        task_N, quality_NM, truth_TM = world(np.random.default_rng(seed))
        quality_TM = task_table(from_labels(task_N, minimum_size=1), quality_NM).quality_TM
        errors.append(((quality_TM - truth_TM) ** 2).mean())
    assert np.mean(errors) < most


def test_a_variance_is_filled_up_from_all_candidates_and_left_alone_where_it_is_known():
    square_C, freedom_C = np.array([6.0, 0.5, 0.0]), np.array([30, 5, 0])
    pooled = 6.5 / 35
    expected = [6 / 30, (0.5 + 25 * pooled) / 30, pooled]
    np.testing.assert_allclose(outcome_variance(square_C, freedom_C, 9.0), expected, rtol=1e-12)
    assert outcome_variance(square_C, freedom_C, 9.0)[0] == 6.0 / 30
    np.testing.assert_array_equal(outcome_variance(np.zeros(2), np.zeros(2, int), 0.25), [0.25, 0.25])


def test_single_outcomes_alone_move_no_task():
    quality_NM = np.full((8, 2), np.nan)
    quality_NM[np.arange(8), np.arange(8) % 2] = [0, 1, 1, 0, 0, 1, 1, 0]
    table = task_table(from_labels(np.repeat(np.arange(4), 2), minimum_size=1), quality_NM)
    np.testing.assert_allclose(table.quality_TM, 0.5, atol=0.05)


def test_large_tasks_keep_their_own_means(draw):
    world = draw(prompts=8000, tasks=4)
    table = task_table(from_labels(world.task, minimum_size=1), world.quality)
    np.testing.assert_allclose(table.quality_TM, table.mean_TM, atol=0.01)


def test_counts_means_and_sizes_agree_with_loops(draw):
    world = draw(missing=0.4)
    partition = from_labels(np.where(world.task == 3, -1, world.task), minimum_size=1)
    table = task_table(partition, world.quality)
    for task in range(partition.tasks):
        rows = world.quality[partition.task_N == task]
        np.testing.assert_allclose(table.mean_TM[task], np.nanmean(rows, axis=0))
        np.testing.assert_array_equal(table.count_TM[task], (~np.isnan(rows)).sum(axis=0))
        assert table.size_T[task] == len(rows)
    np.testing.assert_allclose(table.general_M, np.nanmean(world.quality, axis=0))


def test_easy_prompts_do_not_flatter_a_candidate():
    # Both candidates score the same wherever both were tried; the second was tried on easy prompts only.
    quality = np.array([[1.0, 1.0]] * 40 + [[0.0, np.nan]] * 40)
    other = np.vstack([quality, [[0.5, 0.0]] * 80])
    table = task_table(from_labels(np.repeat([0, 1], 80), minimum_size=1), other)
    departure = table.quality_TM - table.general_M
    assert departure[0, 1] - departure[0, 0] < (table.mean_TM - table.general_M)[0] @ [-1, 1]


def test_candidates_cover_delta_of_preferred_models_by_brute_force(draw):
    world = draw(missing=0.2)
    partition = from_labels(world.task, minimum_size=1)
    table = task_table(partition, world.quality, coverage=0.8)
    for task in range(partition.tasks):
        rows = [row for row in world.quality[partition.task_N == task] if not np.isnan(row).all()]
        order, kept = np.argsort(-table.quality_TM[task], kind="stable").tolist(), set()
        for model in order:
            kept.add(model)
            covered = np.mean([any(row[m] == np.nanmax(row) for m in kept) for row in rows])
            if covered >= 0.8:
                break
        assert set(np.flatnonzero(table.candidate_TM[task]).tolist()) == kept
        assert table.coverage_T[task] == pytest.approx(covered)
    assert 0 < table.candidate_share < 1


def test_full_coverage_is_reached_by_the_whole_pool():
    candidate, coverage = task_candidates(
        from_labels(np.zeros(3, int), minimum_size=1), np.eye(3), np.array([[0.4, 0.3, 0.2]]), 1.0
    )
    assert candidate.all()
    assert coverage.tolist() == [1.0]


def test_without_tasks_only_the_general_row_remains(blocks):
    table = task_table(nothing(480), blocks.quality)
    assert table.quality_TM.shape == (0, 6)
    assert table.candidate_share == 0


def test_a_task_without_a_candidates_outcomes_falls_back_on_the_general_picture():
    quality = np.array([[1.0, 0.2], [1.0, 0.2], [0.9, np.nan], [0.9, np.nan]])
    table = task_table(from_labels(np.array([0, 0, 1, 1]), minimum_size=1), quality)
    assert np.isfinite(table.quality_TM).all()
    assert table.count_TM[1, 1] == 0
    assert np.isnan(table.mean_TM[1, 1])


def test_bad_input_is_refused(blocks):
    partition = from_labels(blocks.task, minimum_size=1)
    with pytest.raises(ValueError, match="does not fit"):
        task_table(partition, blocks.quality[:3])
    with pytest.raises(ValueError, match="coverage"):
        task_table(partition, blocks.quality, coverage=0)
    empty = blocks.quality.copy()
    empty[:, 2] = np.nan
    with pytest.raises(ValueError, match="candidate 2 has no outcome"):
        task_table(partition, empty)


def test_a_task_without_evidence_keeps_the_prior_of_its_prompts():
    quality = np.tile([[1.0, 0.0], [0.0, 1.0]], (20, 1))
    label = np.array(["a", "b"] * 20)
    prior = label_quality(label, quality)
    np.testing.assert_allclose(prior[:2], [[1, 0], [0, 1]], atol=0.01)
    # Tasks that cut across the labels by chance add nothing to them: each is its prompts' mean.
    partition = from_labels(np.repeat([0, 1], 20), minimum_size=1)
    np.testing.assert_allclose(task_table(partition, quality, prior).quality_TM, np.full((2, 2), 0.5), atol=0.01)
    # Tasks within labels are told apart from the first prompt on, whatever their size.
    small = from_labels(np.where(label == "a", np.arange(40) // 4, 100), minimum_size=1)
    assert (task_table(small, quality, prior).quality_TM[1:, 0] > 0.98).all()
    with pytest.raises(ValueError, match=r"prior .* does not fit"):
        task_table(partition, quality, prior[:5])


def test_single_answers_tell_tasks_apart():
    # two tasks that differ in which candidate wins; one answer a prompt, drawn evenly
    draw = np.random.default_rng(0)
    task_N = np.arange(4000) % 2
    truth_TM = np.array([[0.9, 0.3], [0.2, 0.6]])
    seen_NM = np.eye(2, dtype=bool)[draw.integers(2, size=4000)]
    quality_NM = np.where(seen_NM, draw.random((4000, 2)) < truth_TM[task_N], np.nan)
    table = task_table(from_labels(task_N, minimum_size=1), quality_NM)
    np.testing.assert_allclose(table.quality_TM, truth_TM, atol=0.05)


@pytest.mark.parametrize("answers", [2, 3, 5])
def test_few_answers_a_prompt_find_the_same_departures_as_all(answers):
    draw = np.random.default_rng(0)
    task_N = np.arange(6000) % 2
    truth_TM = np.array([[0.9, 0.5, 0.5, 0.5, 0.1], [0.1, 0.5, 0.5, 0.5, 0.9]])
    order_NM = draw.permuted(np.tile(np.arange(5), (6000, 1)), axis=1)
    quality_NM = np.where(order_NM < answers, (draw.random((6000, 5)) < truth_TM[task_N]) * 1.0, np.nan)
    table = task_table(from_labels(task_N, minimum_size=1), quality_NM)
    np.testing.assert_allclose(table.quality_TM, truth_TM, atol=0.05)

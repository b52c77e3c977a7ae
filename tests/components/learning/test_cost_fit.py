import numpy as np
import pytest

from components.learning.cost_error import log_r2, total_error
from components.learning.cost_fit import CostConfig, fit_cost_head
from pointsman.model.cost import CostSource

PRICES_M = np.array([1.0, 2.0])


def fit(features_NF, tokens_NM, *, cost=None, task=None, tasks=0, prices=PRICES_M, config=None, read=100.0):
    rows = len(tokens_NM)
    return fit_cost_head(
        features_NF=features_NF.astype(np.float32),
        input_tokens_NM=np.full(tokens_NM.shape, read),
        output_tokens_NM=tokens_NM,
        cost_usd_NM=np.full(tokens_NM.shape, np.nan) if cost is None else cost,
        task_N=np.full(rows, -1, dtype=np.int32) if task is None else task,
        tasks=tasks,
        input_usd_per_mtok_M=prices,
        output_usd_per_mtok_M=10 * prices,
        config=config or CostConfig(),
    )


def test_the_mean_of_lognormal_tokens_is_recovered_not_their_median():
    generator = np.random.default_rng(0)
    features_NF = generator.normal(size=(20_000, 3))
    law_NM = 4 + features_NF @ np.array([[0.5, 0.0], [0.0, -0.3], [0.2, 0.2]])
    tokens_NM = np.exp(law_NM + generator.normal(size=law_NM.shape)) - 1
    known_NM = np.maximum(tokens_NM, 0)
    head = fit(features_NF, known_NM)
    fresh_NF = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    mean_NM = np.exp(4 + fresh_NF @ np.array([[0.5, 0.0], [0.0, -0.3], [0.2, 0.2]]) + 0.5) - 1
    expected_NM = head.output_tokens(fresh_NF.astype(np.float32), np.full(3, -1, dtype=np.int32))
    np.testing.assert_allclose(expected_NM, mean_NM, rtol=0.05)
    assert head.source_M.tolist() == [CostSource.REGRESSION] * 2


def test_cost_is_input_and_expected_output_tokens_times_their_prices():
    head = fit(np.zeros((300, 2)), np.full((300, 2), 100.0))
    cost_NM = head.cost_usd(np.zeros((2, 2), dtype=np.float32), np.array([0.0, 50.0]), np.array([-1, -1], np.int32))
    np.testing.assert_allclose(cost_NM, (np.array([[0.0], [50.0]]) * PRICES_M + 100 * 10 * PRICES_M) / 1e6)


def test_few_prompts_give_the_tasks_mean_shrunk_to_the_candidates():
    task_N = np.repeat(np.array([0, 1, -1], dtype=np.int32), 10)
    log_N = np.repeat([3.0, 5.0, 4.0], 10)
    tokens_NM = np.expm1(np.stack([log_N, log_N], axis=1))
    head = fit(np.ones((30, 1)), tokens_NM, task=task_N, tasks=2, config=CostConfig(task_strength=10))
    assert head.source_M.tolist() == [CostSource.MEAN_TOKENS] * 2
    predicted_NM = head.log_tokens(np.ones((3, 1), dtype=np.float32), np.array([0, 1, -1], dtype=np.int32))
    # ten prompts against a strength of ten: half way between the candidate's 4 and the task's own mean
    np.testing.assert_allclose(predicted_NM[:, 0], [3.5, 4.5, 4.0])


def test_expected_tokens_sum_to_the_logged_ones_under_a_table():
    generator = np.random.default_rng(0)
    tokens_NM = np.round(np.exp(4 + generator.normal(size=(150, 2))))
    head = fit(np.ones((150, 1)), tokens_NM)
    expected_NM = head.output_tokens(np.ones((1, 1), dtype=np.float32), np.array([-1], dtype=np.int32))
    np.testing.assert_allclose(expected_NM[0], tokens_NM.mean(axis=0))


def test_each_candidate_falls_back_to_what_is_known_of_it():
    generator = np.random.default_rng(0)
    tokens_NM = np.exp(generator.normal(size=(300, 5)) + 4)
    cost_NM = np.full((300, 5), np.nan)
    tokens_NM[:, 1:3] = np.nan
    cost_NM[:, 1], cost_NM[:, 4] = 0.25, 0.5
    tokens_NM[100:, 3] = np.nan
    head = fit(generator.normal(size=(300, 2)), tokens_NM, cost=cost_NM, prices=np.array([1, 1, 1, 1, np.nan]))
    assert head.source_M.tolist() == [
        CostSource.REGRESSION,
        CostSource.MEAN_COST,
        CostSource.ASSUMED_TOKENS,
        CostSource.MEAN_TOKENS,
        CostSource.MEAN_COST,
    ]
    none_N = np.array([-1], dtype=np.int32)
    expected_M = head.cost_usd(np.zeros((1, 2), dtype=np.float32), np.array([10.0]), none_N)[0]
    assert expected_M[[1, 4]].tolist() == [0.25, 0.5]
    # of the candidate without any token count: the length of the others at its own prices
    assert expected_M[2] == pytest.approx(expected_M[[0, 3]].mean(), rel=0.2)


def test_prices_alone_tell_cheap_from_expensive():
    nan_NM = np.full((40, 2), np.nan)
    task_N = np.repeat(np.array([0, 1], dtype=np.int32), 20)
    head = fit(np.ones((40, 1)), nan_NM, task=task_N, tasks=2)
    assert head.source_M.tolist() == [CostSource.ASSUMED_TOKENS] * 2
    expected_NM = head.cost_usd(np.ones((2, 1), np.float32), np.array([100.0, 100.0]), np.array([0, -1], np.int32))
    # 100 tokens in, 256 out, at 1 and 10 USD a million
    np.testing.assert_allclose(expected_NM, [[(100 + 2560) / 1e6, 2 * (100 + 2560) / 1e6]] * 2)


def test_without_prices_nothing_is_assumed():
    head = fit(np.ones((40, 1)), np.full((40, 2), np.nan), prices=np.array([1.0, np.nan]))
    assert head.source_M.tolist() == [CostSource.ASSUMED_TOKENS, CostSource.UNKNOWN]


def test_mean_costs_are_shrunk_by_task():
    task_N = np.repeat(np.array([0, 1], dtype=np.int32), 10)
    cost_NM = np.repeat([[1.0, np.nan], [3.0, np.nan]], 10, axis=0)
    head = fit(np.ones((20, 1)), np.full((20, 2), np.nan), cost=cost_NM, task=task_N, tasks=2)
    expected_NM = head.cost_usd(np.ones((3, 1), np.float32), np.ones(3), np.array([0, 1, -1], np.int32))
    np.testing.assert_allclose(expected_NM[:, 0], [1.5, 2.5, 2.0])
    # tokens are unknown, but prices aren't
    np.testing.assert_allclose(expected_NM[:, 1], 2 * (1 + 2560) / 1e6)


def test_strange_prompts_stay_within_the_lengths_ever_seen():
    generator = np.random.default_rng(0)
    features_NF = generator.normal(size=(500, 2))
    head = fit(features_NF, np.exp(4 + features_NF))
    far_NM = head.log_tokens(np.full((1, 2), 1e6, dtype=np.float32), np.array([-1], dtype=np.int32))
    np.testing.assert_allclose(far_NM[0], np.log1p(np.exp(4 + features_NF)).max(axis=0))


def test_what_calls_were_charged_is_believed_over_tokens_times_prices():
    generator = np.random.default_rng(0)
    features_NF = generator.normal(size=(2_000, 2))
    tokens_NM = np.exp(4 + generator.normal(size=(2_000, 2)))
    listed_NM = (100 + 10 * tokens_NM) * 3 / 1e6
    charged_NM = listed_NM * np.array([0.5, 1.0])
    head = fit(features_NF, tokens_NM, cost=charged_NM, prices=np.array([3.0, 3.0]))
    none_N = np.full(2_000, -1, dtype=np.int32)
    expected_NM = head.cost_usd(features_NF.astype(np.float32), np.full(2_000, 100.0), none_N)
    np.testing.assert_allclose(expected_NM.mean(axis=0), charged_NM.mean(axis=0), rtol=0.02)
    assert head.source_M.tolist() == [CostSource.REGRESSION] * 2


def test_costs_of_tokens_times_prices_change_no_bit():
    generator = np.random.default_rng(0)
    features_NF = generator.normal(size=(300, 2))
    tokens_NM = np.exp(4 + generator.normal(size=(300, 2)))
    listed_NM = PRICES_M * 100 / 1e6 + tokens_NM * (10 * PRICES_M / 1e6)
    head = fit(features_NF, tokens_NM, cost=listed_NM)
    assert head.input_usd_per_mtok_M.tolist() == PRICES_M.tolist()
    assert head.output_usd_per_mtok_M.tolist() == (10 * PRICES_M).tolist()


def test_few_charges_move_prices_little():
    tokens_NM = np.full((40, 2), 90.0)
    cost_NM = np.full((40, 2), np.nan)
    cost_NM[:10, 0] = 0.5 * (100 + 900) / 1e6
    head = fit(np.ones((40, 1)), tokens_NM, cost=cost_NM)
    # ten calls at half the price against ten at the whole one; nothing is known of what the other is charged
    np.testing.assert_allclose(head.input_usd_per_mtok_M, [0.75, 2.0])
    np.testing.assert_allclose(head.output_usd_per_mtok_M, [7.5, 20.0])


def test_charges_at_prices_of_nothing_are_believed_as_they_are():
    cost_NM = np.full((40, 2), 0.25)
    cost_NM[:, 1] = 0.0
    head = fit(np.ones((40, 1)), np.full((40, 2), 90.0), cost=cost_NM, prices=np.zeros(2))
    assert head.source_M.tolist() == [CostSource.MEAN_COST, CostSource.MEAN_TOKENS]
    expected_NM = head.cost_usd(np.ones((1, 1), np.float32), np.array([100.0]), np.array([-1], np.int32))
    np.testing.assert_allclose(expected_NM, [[0.25, 0.0]])


def test_charges_of_calls_whose_prompts_have_no_count_move_nothing():
    head = fit(np.ones((40, 1)), np.full((40, 2), 90.0), cost=np.full((40, 2), 0.25), read=np.nan)
    assert head.input_usd_per_mtok_M.tolist() == PRICES_M.tolist()


def test_candidates_known_on_different_prompts_are_fitted_on_their_own():
    generator = np.random.default_rng(0)
    features_NF = generator.normal(size=(800, 2))
    tokens_NM = np.exp(4 + features_NF + 0.1 * generator.normal(size=(800, 2)))
    alone = fit(features_NF[:400], tokens_NM[:400])
    tokens_NM[400:, 1] = np.nan
    together = fit(features_NF, tokens_NM)
    np.testing.assert_allclose(together.weights_FM[:, 1], alone.weights_FM[:, 1], rtol=1e-5)


def test_bad_arrays_are_refused():
    with pytest.raises(ValueError, match="don't match"):
        fit(np.ones((3, 1)), np.ones((3, 2)), cost=np.ones((3, 1)))
    with pytest.raises(ValueError, match="don't match"):
        fit(np.ones((3, 1)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="must be >= 0"):
        fit(np.ones((3, 1)), -np.ones((3, 2)))
    with pytest.raises(ValueError, match="must be >= 0"):
        fit(np.ones((3, 1)), np.ones((3, 2)), read=-1.0)


@pytest.mark.parametrize("bad", [{"minimum_prompts": 1}, {"task_strength": 0.0}, {"ridges": ()}, {"ridges": (0.0,)}])
def test_configs_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="must"):
        CostConfig(**bad)


def test_errors_without_anything_known_are_nan():
    nothing = np.full((3, 2), np.nan)
    assert np.isnan(log_r2(nothing, nothing))
    assert np.isnan(total_error(nothing, nothing))


def test_predicting_each_candidates_mean_explains_nothing():
    tokens_NM = np.array([[1.0, 5.0], [3.0, 9.0]])
    mean_NM = np.tile(np.log1p(tokens_NM).mean(axis=0), (2, 1))
    assert log_r2(mean_NM, tokens_NM) == pytest.approx(0)

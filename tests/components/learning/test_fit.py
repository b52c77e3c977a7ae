import dataclasses

import numpy as np
import pytest

from components.learning import fit
from components.learning.fit import RouterConfig, fit_router
from components.learning.mixing import HeldOut
from pointsman.model.cost import CostSource
from pointsman.policy.policy import Best, Budget, decide


def best_quality(model, fresh) -> float:
    prediction = model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N)
    choice_N = decide(prediction, Best(), fallback=int(model.fallback)).candidate_N
    return float(fresh.quality_NM[np.arange(choice_N.size), choice_N].mean())


def test_the_router_trusts_the_true_table_over_random_heads(fitted):
    model, report, fresh = fitted
    assert report.chosen.alpha <= 0.4
    assert best_quality(model, fresh) > 0.85  # the oracle's .9; the best single candidate's is .7
    assert report.fallback == 3
    assert len(report.alpha_trials) == 22
    assert report.chosen in report.alpha_trials


def test_calibration_lowers_the_error_of_overconfident_heads(fit_world):
    _, report, _ = fit_world(config=RouterConfig(alphas=(1.0,)))
    assert report.ece_after < 0.7 * report.ece_before


def test_costs_follow_the_law_of_the_world(fitted):
    model, report, fresh = fitted
    assert report.cost_source_M == (CostSource.REGRESSION,) * 4
    assert report.cost_r2 > 0.6  # noise of .5 beside tasks an e apart
    assert report.cost_relative_error < 0.1
    prediction = model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N)
    np.testing.assert_allclose(prediction.cost_usd_NM.sum(axis=0), fresh.cost_usd_NM.sum(axis=0), rtol=0.1)
    usd = float(prediction.cost_usd_NM.min(axis=1).sum() * 2)
    choice_N = decide(prediction, Budget(usd=usd), fallback=3).candidate_N
    assert prediction.cost_usd_NM[np.arange(choice_N.size), choice_N].sum() <= usd


def test_what_calls_are_charged_is_expected_though_logs_dont_count_input_tokens(fit_world):
    model, report, fresh = fit_world(charged=0.5)
    assert np.isnan(fresh.input_tokens_NM).all()
    assert report.cost_source_M == (CostSource.REGRESSION,) * 4
    assert report.cost_relative_error < 0.1
    expected_NM = model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N).cost_usd_NM
    np.testing.assert_allclose(expected_NM.sum(axis=0), fresh.cost_usd_NM.sum(axis=0), rtol=0.1)


def test_without_tasks_the_general_parts_decide(fit_world):
    model, report, fresh = fit_world(tasks=0)
    prediction = model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N)
    assert (prediction.task_N == -1).all()
    assert len(report.alpha_trials) == 11
    assert set(decide(prediction, Best(), fallback=3).reason_N) <= {"general", "doubt", "novel"}
    np.testing.assert_allclose(model.stage_one(fresh.features_NF), np.tile(model.general_quality_M, (300, 1)))


def test_without_costs_best_works_and_cost_policies_refuse(fit_world):
    model, report, fresh = fit_world(costs=False)
    assert report.cost_source_M == (CostSource.UNKNOWN,) * 4
    assert np.isnan(report.cost_r2)
    assert best_quality(model, fresh) > 0.85
    prediction = model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N)
    with pytest.raises(ValueError, match="unknown for all 4"):
        decide(prediction, Budget(usd=1), fallback=0)


def test_partial_outcomes_are_enough(fit_world):
    model, report, _ = fit_world(missing=0.4)
    _, _, complete = fit_world()
    assert best_quality(model, complete) > 0.8
    assert np.isfinite(report.ece_after)


def test_choices_are_told_which_turns_belong_together(fit_world, monkeypatch):
    told = []
    for name in ("best_single", "choose_mixing"):
        real = getattr(fit, name)

        def spy(*args, real=real, **given):
            told.append(given["group_N"])
            return real(*args, **given)

        monkeypatch.setattr(fit, name, spy)
    fit_world(turns=20)
    for group_N in told:
        np.testing.assert_array_equal(group_N, np.repeat(np.arange(45), 20))
    assert len(told) == 2


def test_new_conversations_of_known_tasks_are_not_novel(fit_world):
    # other turns of the conversations that set the floor would be reference points, were they learnt from
    model, _, fresh = fit_world(turns=20)
    assert model.novelty.novel(fresh.embedding_ND).mean() < 0.05
    assert model.novelty.novel(-fresh.embedding_ND).all()
    longer = model.predict(fresh.features_NF, fresh.embedding_ND, 100 * fresh.input_tokens_N)
    assert longer.novel_N.all()
    assert model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N).novel_N.mean() < 0.1


def test_fitting_is_deterministic(fit_world, fitted):
    again, _, _ = fit_world()
    for name, array in again.to_arrays().items():
        np.testing.assert_array_equal(array, fitted[0].to_arrays()[name])


def test_parts_that_do_not_fit_are_refused(fitted):
    model, _, fresh = fitted
    whole_NM = np.zeros(fresh.quality_NM.shape)
    held = HeldOut(
        task_N=fresh.task_N,
        doubt_N=np.zeros(fresh.task_N.shape),
        distance_N=np.zeros(fresh.task_N.shape),
        soft_NM=whole_NM,
        hard_NM=whole_NM,
        prompt_NM=whole_NM,
    )
    arguments = {
        "classifier": model.classifier,
        "experts": model.experts,
        "table_quality_TM": model.task_quality_TM,
        "general_quality_M": model.general_quality_M,
        "clusters": model.clusters,
        "seen": fresh,
        "held": held,
        "config": RouterConfig(),
        "seed": 0,
    }
    unseen = dataclasses.replace(fresh, quality_NM=np.full_like(fresh.quality_NM, np.nan))
    cases = {
        "classifier has": {"table_quality_TM": np.ones((2, 4))},
        "general_quality has": {"general_quality_M": np.ones(3)},
        "no general quality": {"general_quality_M": np.array([1, 1, 1, np.nan])},
        "no outcome": {"seen": unseen},
        "must be below": {"seen": dataclasses.replace(fresh, task_N=fresh.task_N + 5)},
        "held-out hard_NM": {"held": dataclasses.replace(held, hard_NM=whole_NM[1:])},
        "held-out distance_N": {"held": dataclasses.replace(held, distance_N=held.distance_N[1:])},
    }
    for message, change in cases.items():
        with pytest.raises(ValueError, match=message):
            fit_router(**{**arguments, **change})


def test_observations_of_unequal_lengths_are_refused(fitted):
    fresh = fitted[2]
    with pytest.raises(ValueError, match="task_N has shape"):
        dataclasses.replace(fresh, task_N=fresh.task_N[:1])
    with pytest.raises(ValueError, match="cost_usd_NM has shape"):
        dataclasses.replace(fresh, cost_usd_NM=fresh.cost_usd_NM[:, :1])


@pytest.mark.parametrize(
    "bad",
    [
        {"alphas": ()},
        {"alphas": (2.0,)},
        {"posteriors": ("firm",)},
        {"guard_margins": (-1,)},
        {"doubt_margins": (0.1,)},
        {"doubt_margins": (0.0, 0.2, 0.1)},
        {"distance_margins": ()},
        {"distance_margins": (0.0, 0.2, 0.1)},
    ],
)
def test_configs_out_of_range_are_refused(bad):
    with pytest.raises(ValueError, match="must be"):
        RouterConfig(**bad)

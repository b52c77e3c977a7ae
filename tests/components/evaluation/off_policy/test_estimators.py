"""Each estimate against its formula written out, and by enumeration of all possible logs."""

from itertools import product

import numpy as np
import pytest

from components.evaluation.off_policy.estimators import ESTIMATORS, Log, effective_sample_size, terms

TRUTH_NM = np.array([[0.9, 0.1], [0.2, 0.7], [0.5, 0.6]])
SHARE_NM = np.array([[0.7, 0.3], [0.4, 0.6], [0.8, 0.2]])
CHOICE_N = np.array([0, 1, 1])
PREDICTED_NM = np.array([[0.5, 0.5], [0.4, 0.3], [0.1, 0.9]])


def log_of(logged_N, predicted_NM=PREDICTED_NM):
    outcome_NM = np.full(TRUTH_NM.shape, np.nan)
    place = np.arange(3), np.asarray(logged_N)
    outcome_NM[place] = TRUTH_NM[place]
    return Log(outcome_NM=outcome_NM, inclusion_NM=SHARE_NM, predicted_NM=predicted_NM)


@pytest.mark.parametrize("estimator", ["ips", "doubly_robust"])
def test_the_expectation_over_all_logs_is_the_policys_value(estimator):
    total = 0.0
    for logged in product((0, 1), repeat=3):
        chance = np.prod([SHARE_NM[row, column] for row, column in enumerate(logged)])
        total += chance * terms(log_of(logged), CHOICE_N, estimator).mean()
    assert total == pytest.approx(TRUTH_NM[np.arange(3), CHOICE_N].mean())


def test_formulas_written_out():
    log = log_of([0, 0, 1])
    every = {name: terms(log, CHOICE_N, name) for name in ESTIMATORS}
    found = {name: term_N.mean() for name, term_N in every.items()}
    assert found["ips"] == pytest.approx((0.9 / 0.7 + 0 + 0.6 / 0.2) / 3)
    assert found["self_normalised"] == pytest.approx((0.9 / 0.7 + 0.6 / 0.2) / (1 / 0.7 + 1 / 0.2))
    assert found["direct"] == pytest.approx((0.5 + 0.3 + 0.9) / 3)
    assert found["doubly_robust"] == pytest.approx((0.5 + 0.4 / 0.7 + 0.3 + 0.9 - 0.3 / 0.2) / 3)


def test_the_self_normalised_spread_is_that_of_the_ratio():
    # the delta method's standard error, against that of many logs drawn anew
    generator = np.random.default_rng(0)
    values, errors = [], []
    for _ in range(2000):
        seen_N = generator.random(400) < 0.3
        outcome_NM = np.where(seen_N, (generator.random(400) < 0.6) * 1.0, np.nan)[:, None]
        log = Log(outcome_NM=outcome_NM, inclusion_NM=np.full((400, 1), 0.3), predicted_NM=np.zeros((400, 1)))
        term_N = terms(log, np.zeros(400, dtype=np.intp), "self_normalised")
        values.append(term_N.mean())
        errors.append(term_N.std() / 20)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.05)


def test_on_complete_logs_all_but_the_direct_method_give_the_outcomes():
    ones_NM = np.ones(TRUTH_NM.shape)
    log = Log(outcome_NM=TRUTH_NM, inclusion_NM=ones_NM, predicted_NM=PREDICTED_NM)
    for name in ("ips", "self_normalised", "doubly_robust"):
        np.testing.assert_allclose(terms(log, CHOICE_N, name), TRUTH_NM[np.arange(3), CHOICE_N])


def test_effective_sample_size_counts_equal_weights_and_no_zeros():
    assert effective_sample_size(np.array([3.0, 3.0, 0.0])) == pytest.approx(2)
    assert effective_sample_size(np.array([10.0, 1.0])) == pytest.approx(121 / 101)
    assert effective_sample_size(np.zeros(3)) == 0


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        Log(outcome_NM=TRUTH_NM, inclusion_NM=SHARE_NM, predicted_NM=PREDICTED_NM[:2])
    with pytest.raises(ValueError, match="no prompts"):
        Log(outcome_NM=np.empty((0, 2)), inclusion_NM=np.empty((0, 2)), predicted_NM=np.empty((0, 2)))
    with pytest.raises(ValueError, match="choices"):
        terms(log_of([0, 0, 0]), np.array([0]), "ips")
    with pytest.raises(ValueError, match="none of the policy's choices"):
        terms(log_of([1, 0, 0]), CHOICE_N, "self_normalised")

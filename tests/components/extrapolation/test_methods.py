"""Every model trains on every kind of problem, and what must be exact is."""

import numpy as np
import pytest
import torch

from components.extrapolation.arithmetic import identity
from components.extrapolation.methods import _NETWORKS, Sizes, TrainingConfig, train
from components.extrapolation.problem import error
from components.extrapolation.rolling import rolling_argmax, rolling_average
from components.extrapolation.volatility import volatility

SIZES = Sizes(implicit_states=6, mlp_hidden=(6, 6), rnn_states=4, lstm_hidden=4, width=4)
SHORT = TrainingConfig(epochs=2, batch_size=50, learning_rate=1e-2)
NETWORKS = [*_NETWORKS]


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_answers_and_answers_the_same_again(name):
    problem = rolling_average(0, train=100, test=20)
    one, again = (train(name, problem, SIZES, SHORT, 3) for _ in range(2))
    unseen = problem.tests[1].inputs_NF
    np.testing.assert_array_equal(one.predict(unseen), again.predict(unseen))
    assert one.predict(unseen).shape == (20, 1)
    assert np.isfinite(one.predict(unseen)).all()


@pytest.mark.parametrize("name", ["implicit", "implicit_rnn", "mlp_no_bias", "lstm_normalised"])
def test_networks_without_biases_keep_their_choice_at_any_scale(name):
    problem = rolling_argmax(0, train=100, test=40)
    fitted = train(name, problem, SIZES, SHORT, 0)
    unseen = problem.tests[0].inputs_NF
    np.testing.assert_array_equal(fitted.predict(1024 * unseen).argmax(axis=1), fitted.predict(unseen).argmax(axis=1))


def test_training_teaches():
    problem = rolling_average(0, train=600, test=100)
    learnt = train("mlp_skip", problem, SIZES, TrainingConfig(epochs=20, batch_size=32, learning_rate=1e-2), 0)
    inside = problem.tests[0]
    mean = np.full_like(inside.targets_NM, problem.train_targets_NM.mean())
    assert error(problem, learnt.predict(inside.inputs_NF), inside.targets_NM) < 0.5 * error(
        problem, mean, inside.targets_NM
    )


def test_least_squares_solves_a_linear_problem_exactly_at_any_scale():
    problem = identity(0, train=100, test=20)
    fitted = train("least_squares", problem, SIZES, SHORT, 0)
    for test in problem.tests:
        assert error(problem, fitted.predict(test.inputs_NF), test.targets_NM) < 1e-12 * test.at


def test_the_ablations_are_what_they_are_called():
    problem = identity(0, train=100, test=20)
    module = {name: train(name, problem, SIZES, SHORT, 0).module for name in NETWORKS if name.startswith("implicit")}
    assert module["implicit_no_feedback"].feedback_SS.abs().max() == 0
    assert torch.equal(module["implicit_triangular"].feedback_SS, module["implicit_triangular"].feedback_SS.triu(1))
    assert module["implicit_triangular"].feedback_SS.abs().max() > 0
    assert module["implicit"].feedback_SS.tril(-1).abs().max() > 0
    assert module["implicit_no_skip"].skip is None
    for layer in module.values():
        if hasattr(layer, "feedback_SS"):
            assert layer.drive.bias is None
            assert layer.feedback_SS.abs().sum(dim=1).max() <= 0.95 + 1e-6


def test_har_learns_from_its_three_means():
    problem = volatility(0, train=400)
    fitted = train("har", problem, SIZES, SHORT, 0)
    test = problem.tests[0].inputs_NF[:5].copy()
    before = fitted.predict(test)
    test[:, [2, 8]] = test[:, [8, 2]]  # in the same month and outside the last week
    np.testing.assert_allclose(fitted.predict(test), before)


def test_unknown_models_and_too_few_epochs_are_refused():
    with pytest.raises(KeyError):
        train("oracle", identity(0, train=100, test=20), SIZES, SHORT, 0)
    with pytest.raises(ValueError, match="epochs must be >= 2"):
        TrainingConfig(epochs=1)

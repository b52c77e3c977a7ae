"""Exploration: what is drawn follows the propensities that are logged, and the cost stays within its allowance."""

import numpy as np
import pytest

from pointsman.policy.exploration import Allowance, ExplorationConfig, explore, extra_cost, gaps, plausible

NAN = float("nan")


def test_frequencies_are_the_logged_propensities():
    rows = 40_000
    plausible_NM = np.tile([True, True, False, True], (rows, 1))
    drawn = explore(np.ones(rows, int), plausible_NM, np.full(rows, 0.3), [f"d{row}" for row in range(rows)])
    expected = [0.1, 0.8, 0.0, 0.1]
    np.testing.assert_allclose(drawn.propensity_NM(4)[0], expected)
    share = np.bincount(drawn.choice_N, minlength=4) / rows
    # four standard errors
    np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.2 / rows))
    np.testing.assert_allclose(drawn.propensity_N, np.array(expected)[drawn.choice_N])
    # inverse propensities are unbiased: each candidate's weights have mean one
    weight = (drawn.choice_N == 0) / drawn.propensity_NM(4)[:, 0]
    assert abs(weight.mean() - 1) < 4 * weight.std() / np.sqrt(rows)


def test_the_same_id_is_the_same_decision_whatever_its_company():
    ids = [f"d{row}" for row in range(200)]
    mask = np.ones((200, 3), bool)
    once = explore(np.zeros(200, int), mask, np.full(200, 0.9), ids).choice_N
    alone = [explore(np.zeros(1, int), mask[:1], np.full(1, 0.9), [one]).choice_N[0] for one in ids]
    assert once.tolist() == alone
    assert len(set(alone)) == 3


def test_plausible_are_near_in_quality_and_cost():
    quality = np.array([[0.8, 0.75, 0.5, 0.79, 0.78]])
    cost = np.array([[1.0, 2.0, 0.05, 30.0, NAN]])
    eligible = np.ones((1, 5), bool)

    def drawn(choice, cost, ceiling=NAN, gap=0.1):
        near = {"gap_NM": gap, "cost_ratio": 10, "ceiling_usd_N": np.array([ceiling])}
        return plausible(np.array([choice]), quality, cost, eligible, **near)[0].tolist()

    assert drawn(0, cost) == [True, True, False, False, False]
    # what the best single candidate costs is no cause for concern, however cheap the choice
    assert drawn(0, cost, ceiling=30) == [True, True, False, True, False]
    assert drawn(2, cost, ceiling=2) == [True, True, True, False, False]
    # the choice itself always, however bad; and who isn't eligible never
    eligible[0, 1] = False
    assert drawn(2, cost) == [False, False, True, False, False]
    assert drawn(0, np.full((1, 5), NAN)) == [True, False, False, True, True]
    # gaps of each candidate's own
    assert drawn(0, cost, ceiling=30, gap=np.array([[0, 0, 0.3, 0, 0]])) == [True, False, True, False, False]


def test_gaps_are_what_outcomes_cannot_tell_apart():
    config = ExplorationConfig(quality_gap=0.05, standard_errors=1.64, widest_gap=0.3)
    outcomes_TM = np.array([[400, 100, 3], [10**6, 10**6, 10**6]])
    found = gaps(outcomes_TM, config)
    draw = np.random.default_rng(0)
    # of two candidates of equal quality one half, a mean difference beyond the gap is a one-sided error of 5 %
    means = [draw.binomial(count, 0.5, 20_000) / count for count in (400, 100)]
    assert abs((means[0] - means[1] > found[0, 0, 1]).mean() - 0.05) < 0.01
    assert found[0, 0, 2] == 0.3
    assert (found[1] == 0.05).all()
    np.testing.assert_allclose(found, found.transpose(0, 2, 1))


def test_expected_extra_cost_is_held_to_the_allowance():
    draw = np.random.default_rng(0)
    cost = draw.lognormal(-6, 1, (5000, 4))
    choice = cost.argmin(axis=1)
    extra = extra_cost(choice, cost, np.ones(cost.shape, bool))
    np.testing.assert_allclose(extra[0], (cost[0] - cost[0].min()).mean())
    free = Allowance(ExplorationConfig(rate=0.2)).rates(extra)
    assert (free == 0.2).all()
    cap = 0.5 * 1000 * (free * extra).mean()
    held = Allowance(ExplorationConfig(rate=0.2, usd_per_1000=cap)).rates(extra)
    spent = 1000 * (held * extra).mean()
    assert 0.95 * cap <= spent <= cap
    assert (Allowance(ExplorationConfig(rate=0.2, usd_per_1000=0)).rates(extra) == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 1.0},
        {"rate": -0.1},
        {"quality_gap": 2},
        {"cost_ratio": 0.5},
        {"standard_errors": -1},
        {"widest_gap": 2},
        {"usd_per_1000": -1},
    ],
)
def test_settings_have_legal_ranges(wrong):
    with pytest.raises(ValueError, match="must be"):
        ExplorationConfig(**wrong)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pointsman.model.guard import counted, doubt, router_scores
from pointsman.model.prediction import Prediction
from pointsman.policy.policy import Best, Tradeoff, decide

TENTHS = st.integers(0, 10).map(lambda tenth: tenth / 10)


def believe(quality_NM, margin_N) -> Prediction:
    return Prediction(
        quality_NM=quality_NM,
        cost_usd_NM=np.full(quality_NM.shape, np.nan),
        task_N=np.zeros(quality_NM.shape[0], dtype=np.int32),
        margin_N=margin_N,
        novel_N=np.zeros(quality_NM.shape[0], dtype=np.bool_),
    )


@given(quality_NM=arrays(np.float64, (7, 4), elements=TENTHS), margin_N=arrays(np.float64, 7, elements=TENTHS))
def test_the_best_of_what_counts_is_the_fallback_or_beats_it_by_the_margin(quality_NM, margin_N):
    for fallback in range(4):
        counted_NM = counted(quality_NM, margin_N, fallback)
        for row, margin, counts in zip(quality_NM, margin_N, counted_NM, strict=True):
            beat = [m for m in range(4) if m != fallback and row[m] > row[fallback] + margin]
            if beat:
                assert row[counts.argmax()] == max(row[m] for m in beat)
            elif margin > 0:
                assert counts.argmax() == fallback
            if margin == 0:
                assert counts.tolist() == row.tolist()
            # what falls short falls short by as much as before, and nobody gains
            assert (counts <= row).all()
            short = row < row[fallback]
            assert counts[short].tolist() == row[short].tolist()
            assert counts[fallback] == row[fallback]


@given(quality_NM=arrays(np.float64, (7, 4), elements=TENTHS), margin_N=arrays(np.float64, 7, elements=TENTHS))
def test_the_policy_best_chooses_the_best_of_what_counts_and_says_where_that_held_it(quality_NM, margin_N):
    for fallback in range(4):
        for margins_N in (margin_N, np.zeros(7)):
            wanted_N = counted(quality_NM, margins_N, fallback).argmax(axis=1)
            free_N = quality_NM.argmax(axis=1)
            held_N = (wanted_N == fallback) & (free_N != fallback)
            # all at once, and each alone, which takes a way of its own
            for rows in (slice(None), *(slice(row, row + 1) for row in range(7))):
                decision = decide(believe(quality_NM[rows], margins_N[rows]), Best(), fallback=fallback)
                np.testing.assert_array_equal(decision.candidate_N, wanted_N[rows])
                np.testing.assert_array_equal(decision.reason_N == "doubt", held_N[rows])


def doubted(prompts=300, supported_NM=None) -> Prediction:
    random = np.random.default_rng(1)
    return Prediction(
        quality_NM=random.random((prompts, 4)),
        cost_usd_NM=random.random((prompts, 4)),
        task_N=np.zeros(prompts, dtype=np.int32),
        margin_N=random.choice([0.0, 0.1], size=prompts),
        novel_N=random.random(prompts) < 0.2,
        supported_NM=supported_NM,
    )


@pytest.mark.parametrize("price", [0.01, 0.3, 1.0, 5.0, 1000.0])
def test_the_scores_choose_at_every_price_what_the_policy_chooses(price):
    prediction = doubted()
    scored_NM = router_scores(prediction, 2) - prediction.cost_usd_NM / price
    decided = decide(prediction, Tradeoff(willingness_to_pay=price), fallback=2)
    np.testing.assert_array_equal(scored_NM.argmax(axis=1), decided.candidate_N)


@pytest.mark.parametrize("known", [True, False])
def test_the_scores_choose_what_the_policy_best_chooses(known):
    # by column, so that the fallback itself is without outcomes on some prompts, and everybody on others
    supported_NM = None if known else np.random.default_rng(2).random((300, 4)) < 0.4
    prediction = doubted(supported_NM=supported_NM)
    decided = decide(prediction, Best(), fallback=2)
    np.testing.assert_array_equal(router_scores(prediction, 2).argmax(axis=1), decided.candidate_N)


def test_without_a_margin_everything_counts():
    quality_NM = np.random.default_rng(0).random((5, 3))
    assert counted(quality_NM, np.zeros(5), 1) is quality_NM


def test_doubt_is_what_the_most_probable_task_leaves():
    posterior_NT = np.random.default_rng(0).dirichlet(np.ones(4), size=20)
    for found, row in zip(doubt(posterior_NT), posterior_NT, strict=True):
        assert found == pytest.approx(sum(sorted(row)[:-1]))
    assert doubt(np.zeros((3, 0))).tolist() == [1, 1, 1]

"""A candidate taken out of a fitted router and brought back with probes drawn anew from the known world."""

from dataclasses import replace

import numpy as np
import pytest

from components.evaluation.paired import Moments
from components.learning.newcomer import (
    NewcomerProbes,
    add_candidate,
    remove_candidate,
)
from components.learning.newcomer_evidence import with_candidate, without_candidate
from components.learning.onboarding import OnboardConfig, Onboarded, judge_newcomer
from components.tables.board import Board
from pointsman.bundle.evidence import Evidence, prompt_digests
from pointsman.model.guard import router_scores
from pointsman.model.router_model import RouterModel
from tests.fixtures.fitted_world import TRUTH_TM, observe

NEWCOMER = 1


def _probes(seen: Board, rows: int) -> NewcomerProbes:
    others = np.delete(np.arange(4), NEWCOMER)
    return NewcomerProbes(
        features_KF=seen.features_NF[:rows],
        quality_K=seen.quality_NM[:rows, NEWCOMER],
        others_KM=seen.quality_NM[:rows][:, others],
        weight_K=np.ones(rows),
        input_tokens_K=seen.input_tokens_N[:rows],
        output_tokens_K=seen.output_tokens_NM[:rows, NEWCOMER],
        cost_usd_K=seen.cost_usd_NM[:rows, NEWCOMER],
        input_usd_per_mtok=float(seen.input_usd_per_mtok_M[NEWCOMER]),
        output_usd_per_mtok=float(seen.output_usd_per_mtok_M[NEWCOMER]),
    )


@pytest.fixture(scope="module")
def before(fitted) -> RouterModel:  # type: ignore[no-untyped-def]
    return remove_candidate(fitted[0], NEWCOMER)


@pytest.fixture(scope="module")
def fresh() -> Board:
    return observe(900, 77, tasks=3, costs=True, missing=0.0)


def _choices(model: RouterModel, seen: Board) -> np.ndarray:
    prediction = model.predict(seen.features_NF, seen.embedding_ND, seen.input_tokens_N)
    return np.asarray(router_scores(prediction, int(model.fallback)).argmax(axis=1))


def test_the_newcomer_is_learnt_and_the_others_stay_byte_for_byte(before: RouterModel, fresh: Board) -> None:
    after = add_candidate(before, _probes(fresh, 300))
    for name, array in before.to_arrays().items():
        letters = name.rpartition("_")[2] if name.rpartition("_")[2].isupper() else ""
        grown = after.to_arrays()[name]
        if "M" in letters:
            grown = np.take(grown, range(3), axis=letters.index("M"))
        assert grown.tobytes() == array.tobytes(), name
    assert np.abs(after.task_quality_TM[:, -1] - TRUTH_TM[:, NEWCOMER]).max() < 0.12


def test_choices_between_the_others_are_what_they_were(before: RouterModel, fresh: Board) -> None:
    old, new = (_choices(model, fresh) for model in (before, add_candidate(before, _probes(fresh, 200))))
    assert (new == 3).mean() > 0.2
    assert (new[new != 3] == old[new != 3]).all()


def test_its_cost_is_expected_as_a_trained_candidates_is(before: RouterModel, fitted, fresh: Board) -> None:  # type: ignore[no-untyped-def]
    grown = add_candidate(before, _probes(fresh, 400))
    wanted, found = (
        model.predict(fresh.features_NF, fresh.embedding_ND, fresh.input_tokens_N).cost_usd_NM[:, column].mean()
        for model, column in ((fitted[0], NEWCOMER), (grown, 3))
    )
    assert found == pytest.approx(wanted, rel=0.15)


def test_luck_that_the_others_share_is_taken_off(before: RouterModel, fresh: Board) -> None:
    # the newcomer is right where the first candidate is, and the prompts drawn are those that it got right
    alike = fresh.quality_NM.copy()
    alike[:, NEWCOMER] = alike[:, 0]
    order = np.argsort(-alike[:, 0] - 0.5 * np.random.default_rng(0).random(900), kind="stable")
    probes = _probes(replace(fresh, quality_NM=alike).take(order[:600]), 600)
    blind = replace(probes, others_KM=np.full((600, 3), np.nan))
    knowing, unknowing = (add_candidate(before, each).general_quality_M[-1] for each in (probes, blind))
    assert knowing < unknowing - 0.02


def test_a_newcomer_worth_it_is_promoted_and_a_bad_one_is_not(before: RouterModel, fresh: Board) -> None:
    probes = _probes(fresh, 300)

    def choose(model: RouterModel, rows: np.ndarray) -> np.ndarray:
        return _choices(model, fresh.take(rows))

    good = judge_newcomer(before, probes, choose, OnboardConfig(), 0)
    assert good.verdict(OnboardConfig()) == "promoted"
    assert good.gain.interval(0.05).low > 0
    assert 0.2 < good.share < 0.5
    useless = replace(probes, quality_K=np.zeros(300))
    bad = judge_newcomer(before, useless, choose, OnboardConfig(), 0)
    assert (bad.share, bad.gain.mean) == (0, 0)


def test_verdicts() -> None:
    verdicts = [
        Onboarded(gain=Moments(mean=mean, error=error, count=100), share=0.1, mean=0.5).verdict(OnboardConfig())
        for mean, error in ((0.01, 0.005), (0.0, 0.02), (-0.05, 0.01))
    ]
    assert verdicts == ["promoted", "not enough evidence", "refused"]


def test_evidence_grows_and_shrinks_with_the_candidates() -> None:
    before = Evidence(
        count_TM=np.array([[5, 0], [2, 3]]),
        count_M=np.array([7, 3]),
        digest_K=np.sort(prompt_digests(["a", "b"])),
        held_choice_K=np.array([0, 1]),
    )
    grown = with_candidate(before, np.array([0, 0, -1], dtype=np.int32), ["b", "c", "d"])
    assert grown.count_TM.tolist() == [[5, 0, 2], [2, 3, 0]]
    assert grown.count_M.tolist() == [7, 3, 3]
    assert grown.seen(prompt_digests(["a", "b", "c", "d", "e"])).tolist() == [True] * 4 + [False]
    assert (grown.held_choices(prompt_digests(["a", "b"])) == before.held_choices(prompt_digests(["a", "b"]))).all()
    back = without_candidate(grown, 2)
    assert (back.count_TM == before.count_TM).all()
    assert sorted(without_candidate(before, 0).held_choice_K.tolist()) == [-1, 0]


def test_taking_out_the_fallback_names_another(fitted) -> None:  # type: ignore[no-untyped-def]
    model = fitted[0]
    fallback = int(model.fallback)
    left = remove_candidate(model, fallback)
    assert left.general_quality_M[int(left.fallback)] == left.general_quality_M.max()
    assert left.general_quality_M.size == 3
    with pytest.raises(ValueError, match="no candidate 7"):
        remove_candidate(model, 7)


def test_too_few_probes(before: RouterModel, fresh: Board) -> None:
    with pytest.raises(ValueError, match="at least 10 graded answers, has 4"):
        add_candidate(before, _probes(fresh, 4))

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from components.learning.encoder_choice import ChoiceConfig, Criterion, choose_encoder

TOPICS, PROMPTS, CANDIDATES = 5, 800, 4
BENCHMARKS = np.array(["algebra", "biology", "coding", "drama", "economy"])


def world(seed=0):
    """Each topic has its own best candidate; vectors are a topic's direction with noise."""
    rng = np.random.default_rng(seed)
    topic_N = rng.integers(0, TOPICS, size=PROMPTS)
    vectors_ND = np.eye(16)[topic_N] + rng.normal(scale=0.15, size=(PROMPTS, 16))
    chance_TM = rng.permuted(np.tile(np.array([0.15, 0.3, 0.5, 0.95]), (TOPICS, 1)), axis=1)
    quality_NM = (rng.random((PROMPTS, CANDIDATES)) < chance_TM[topic_N]).astype(float)
    unit_ND = (vectors_ND / np.linalg.norm(vectors_ND, axis=1, keepdims=True)).astype(np.float32)
    return unit_ND, quality_NM, BENCHMARKS[topic_N]


def blind(seed=9):
    rows = np.random.default_rng(seed).normal(size=(PROMPTS, 16))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def turned(unit_ND):
    """The same angles in other coordinates."""
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(16, 16)))
    return (unit_ND @ turn).astype(np.float32)


def one_answer(quality_NM, seed=0):
    seen = np.random.default_rng(seed).integers(0, CANDIDATES, size=PROMPTS)
    return np.where(np.arange(CANDIDATES) == seen[:, None], quality_NM, np.nan)


@pytest.mark.parametrize("observed", ["complete", "one answer"])
def test_an_encoder_as_good_and_cheaper_is_chosen(observed):
    unit_ND, quality_NM, benchmark_N = world()
    quality_NM = quality_NM if observed == "complete" else one_answer(quality_NM)
    found = choose_encoder(
        {"cheap": lambda _: turned(unit_ND), "dear": lambda _: unit_ND}, quality_NM, benchmark_N, ChoiceConfig(), 0
    )
    assert found.chosen == "cheap"
    assert found.measured == ("quality" if observed == "complete" else "error")
    assert [one.name for one in found.criteria["cheap"]] == ["routing", "left_out", "novelty"]


@pytest.mark.parametrize("observed", ["complete", "one answer"])
def test_an_encoder_that_sees_nothing_is_passed_over(observed):
    unit_ND, quality_NM, benchmark_N = world()
    quality_NM = quality_NM if observed == "complete" else one_answer(quality_NM)
    found = choose_encoder(
        {"cheap": lambda _: blind(), "dear": lambda _: unit_ND}, quality_NM, benchmark_N, ChoiceConfig(), 0
    )
    assert found.chosen == "dear"
    worse = {one.name for one in found.criteria["cheap"] if one.worse}
    assert {"routing", "novelty"} <= worse


def test_novelty_is_the_area_under_the_curve():
    unit_ND, quality_NM, benchmark_N = world()
    criteria = choose_encoder({"only": lambda _: unit_ND}, quality_NM, benchmark_N, ChoiceConfig(), 0).criteria
    novelty = criteria["only"][2]
    assert novelty.value > 0.99
    assert novelty.prompts == PROMPTS
    blinded = choose_encoder({"only": lambda _: blind()}, quality_NM, benchmark_N, ChoiceConfig(), 0).criteria
    assert blinded["only"][2].value == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("best", "worse"),
    # the best encoder can tell new prompts from known ones, hardly, not at all
    [(0.9, True), (0.56, True), (0.54, False), (0.5, False), (0.45, False)],
)
def test_an_encoder_cannot_lose_more_than_the_best_is_above_a_guess(best, worse):
    found = Criterion(name="novelty", value=best - 0.1, loss=0.1, low=0.08, high=0.12, prompts=2000, tolerance=0.05)
    assert found.worse is worse
    # of quality a guess isn't worth one half
    assert replace(found, name="routing").worse


def test_an_encoder_is_judged_without_what_it_was_fitted_on():
    unit_ND, quality_NM, benchmark_N = world()
    fitted = []

    def embed(rows_K):
        fitted.append(rows_K)
        return unit_ND

    choose_encoder({"only": embed}, quality_NM, benchmark_N, ChoiceConfig(folds=4), 0)
    folds, left_out = fitted[:4], fitted[4:]
    assert sorted(np.concatenate([np.setdiff1d(np.arange(PROMPTS), rows) for rows in folds]).tolist()) == list(
        range(PROMPTS)
    )
    assert all(len(set(benchmark_N[rows])) == TOPICS - 1 for rows in left_out)
    assert len(left_out) == TOPICS


def test_benchmarks_that_nobody_graded_say_nothing():
    unit_ND, quality_NM, benchmark_N = world()
    quality_NM[benchmark_N != "algebra"] = np.nan
    found = choose_encoder({"only": lambda _: unit_ND}, quality_NM, benchmark_N, ChoiceConfig(groups=0), 0)
    assert [one.name for one in found.criteria["only"]] == ["routing"]


def test_logs_without_labels_are_divided_by_the_best_encoder():
    unit_ND, quality_NM, _ = world()
    unlabelled = np.full(PROMPTS, "")
    found = choose_encoder(
        {"cheap": lambda _: blind(), "dear": lambda _: unit_ND}, quality_NM, unlabelled, ChoiceConfig(), 0
    )
    assert {one.name for one in found.criteria["cheap"] if one.worse} >= {"routing", "novelty"}


def conversations(chances=(0.8, 0.2), turns=15, count=60, seed=0):
    """An encoder that tells conversations apart and one that tells their topics; each topic has its own best."""
    rng = np.random.default_rng(seed)
    talk_N = rng.permutation(np.repeat(np.arange(count), turns)).astype(np.int32)
    topic_G = rng.permutation(np.arange(count) % 2)
    chance_NM = np.where(topic_G[talk_N, None] == 0, chances, chances[::-1])
    quality_NM = (rng.random(chance_NM.shape) < chance_NM).astype(float)
    recognised_ND = rng.normal(size=(count, 32))[talk_N] + 0.05 * rng.normal(size=(talk_N.size, 32))
    topic_ND = np.concatenate([np.eye(2)[topic_G[talk_N]], 0.3 * rng.normal(size=(talk_N.size, 8))], axis=1)
    return talk_N, quality_NM, recognised_ND.astype(np.float32), topic_ND.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_an_encoder_that_recognises_conversations_is_passed_over(seed):
    talk_N, quality_NM, recognised_ND, topic_ND = conversations(seed=seed)
    encoders = {"cheap": lambda _: recognised_ND, "dear": lambda _: topic_ND}
    config = ChoiceConfig(neighbours=5, groups=0)
    found = choose_encoder(encoders, quality_NM, np.full(talk_N.size, ""), config, seed, talk_N)
    assert found.chosen == "dear"
    # of prompts that share nothing it can't be told from the better one
    flattered = choose_encoder(encoders, quality_NM, np.full(talk_N.size, ""), config, seed)
    assert flattered.chosen == "cheap"


def test_nothing_is_judged_by_its_own_group():
    talk_N, quality_NM, _, topic_ND = conversations()
    label_N = BENCHMARKS[np.random.default_rng(1).integers(0, TOPICS, talk_N.size)]
    # a conversation of three benchmarks at most
    label_N = np.where(np.arange(talk_N.size) % 3 == 0, label_N, BENCHMARKS[talk_N % TOPICS])
    fitted = []

    def embed(rows_K):
        fitted.append(rows_K)
        return topic_ND

    config = ChoiceConfig(folds=4, groups=2)
    criteria = choose_encoder({"only": embed}, quality_NM, label_N, config, 0, talk_N).criteria["only"]
    folds, left_out = fitted[:4], fitted[4:]
    everything = np.arange(talk_N.size)
    judged = [np.setdiff1d(everything, rows) for rows in folds]
    assert sorted(np.concatenate(judged)) == everything.tolist()
    assert not any(np.isin(talk_N[rows], talk_N[rest]).any() for rows, rest in zip(folds, judged, strict=True))
    assert criteria[0].prompts == talk_N.size
    for rows in left_out:
        missing = [name for name in BENCHMARKS if name not in label_N[rows]]
        assert any(not np.isin(talk_N[rows], talk_N[label_N == name]).any() for name in missing)


@pytest.mark.parametrize("group_N", [np.full(PROMPTS, -1), np.random.default_rng(5).permutation(PROMPTS)])
def test_prompts_that_share_nothing_are_compared_as_independent_ones(group_N):
    unit_ND, quality_NM, benchmark_N = world()
    encoders = {"cheap": lambda _: blind(), "dear": lambda _: unit_ND}
    alone = choose_encoder(encoders, quality_NM, benchmark_N, ChoiceConfig(), 4)
    assert choose_encoder(encoders, quality_NM, benchmark_N, ChoiceConfig(), 4, group_N) == alone


def test_the_interval_is_that_of_conversations():
    talk_N, quality_NM, recognised_ND, topic_ND = conversations(chances=(1.0, 0.0))
    encoders = {"cheap": lambda _: recognised_ND, "dear": lambda _: topic_ND}
    found = choose_encoder(encoders, quality_NM, np.full(talk_N.size, ""), ChoiceConfig(groups=0), 0, talk_N)
    one, other = (found.criteria[name][0] for name in ("cheap", "dear"))
    # what is right for a conversation is right for all its turns: 60 draws of about 0 or 1, and Student's t
    assert (other.value, one.value) == (1, pytest.approx(0.5, abs=0.1))
    error = np.sqrt(one.loss * (1 - one.loss) / 59)
    assert (one.high - one.low) / 2 == pytest.approx(t.ppf(0.975, 59) * error, rel=0.05)


def test_the_document_is_plain():
    import json

    unit_ND, quality_NM, benchmark_N = world()
    found = choose_encoder({"only": lambda _: unit_ND}, quality_NM, benchmark_N, ChoiceConfig(), 0).to_document()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["chosen"] == "only"


def test_prompts_that_do_not_fit_are_refused():
    unit_ND, quality_NM, benchmark_N = world()
    with pytest.raises(ValueError, match="one label a prompt"):
        choose_encoder({"only": lambda _: unit_ND}, quality_NM, benchmark_N[:-1], ChoiceConfig(), 0)

import numpy as np
import pytest

from components.learning.encoder_choice import ChoiceConfig, choose_encoder

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

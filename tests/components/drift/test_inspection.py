from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from components.drift.config import DriftConfig
from components.drift.inspection import inspect
from components.drift.recent import DriftInputError, Recent
from components.drift.reference import REMEMBERED, make_reference
from pointsman.bundle.reading import read_bundle

CONFIG = DriftConfig(minimum_prompts=2, sample=50, resamples=50)


@pytest.fixture(scope="module")
def seen(bundle, prompts):
    """The tiny bundle, its encoder, and many rows of its prompts."""
    read = read_bundle(bundle)
    encoder = read.encoder(threads=1)
    texts = [f"{text} {number}" for number in (1, 2, 3) for text in prompts] * 4
    tokens, embedding_ND = encoder.tokenize(texts), encoder.encode(texts)
    return read, texts, embedding_ND, read.feature_map.transform(embedding_ND, tokens)


def _recent(bundle, texts=None, embedding_ND=None):
    return Recent(source=bundle, prompts=texts, embedding_ND=embedding_ND, prompt_ids=None, outcomes=None)


def test_the_reference_is_what_the_router_says_of_the_test_prompts(seen):
    read, texts, embedding_ND, features_NF = seen
    split_N = np.where(np.arange(len(texts)) % 3 == 0, "calibration", "test")
    kept = make_reference(read.model, features_NF, embedding_ND, split_N, seed=0)
    rows = np.flatnonzero(split_N == "test")
    np.testing.assert_array_equal(kept.embedding_KD, embedding_ND[rows])
    np.testing.assert_array_equal(kept.task_K, read.model.tasks(features_NF)[rows])
    np.testing.assert_array_equal(kept.far_K, read.model.novelty.novel(embedding_ND)[rows])
    with pytest.raises(ValueError, match="in the test split"):
        make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "train"), seed=0)


def test_the_reference_holds_one_of_each_conversation_and_all_that_belong_to_none(seen):
    read, texts, embedding_ND, features_NF = seen
    split_N = np.where(np.arange(len(texts)) % 3 == 0, "calibration", "test")
    talk_N = np.where(np.arange(len(texts)) < 24, np.arange(len(texts)) // 12, -1)
    marked_ND = embedding_ND.copy()
    marked_ND[:, 0] = np.arange(len(texts))
    samples = [make_reference(read.model, features_NF, marked_ND, split_N, seed, talk_N) for seed in range(20)]
    rows = [set(sample.embedding_KD[:, 0].astype(int).tolist()) for sample in samples]
    test_rows = set(np.flatnonzero(split_N == "test").tolist())
    for kept in rows:
        assert kept <= test_rows
        assert {row for row in kept if row >= 24} == {row for row in test_rows if row >= 24}
        assert sorted(row // 12 for row in kept if row < 24) == [0, 1]
    assert len({min(kept) for kept in rows}) > 2


def test_recent_turns_of_one_conversation_count_once(seen, bundle):
    read, texts, embedding_ND, features_NF = seen
    reference = make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "test"), seed=0)
    recent = replace(_recent(bundle, tuple(texts)), conversation_N=np.arange(len(texts)) // 2)
    report = inspect(read, reference, recent, CONFIG, seed=0)
    assert (report.recent, report.left_out) == (len(texts) // 2, len(texts) // 2)


def test_outcomes_of_a_model_that_the_router_does_not_know_are_in_the_report(seen, bundle):
    read, texts, embedding_ND, features_NF = seen
    reference = make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "test"), seed=0)
    ids = tuple(map(str, range(len(texts))))
    outcomes = pl.DataFrame({"prompt_id": ids[:5], "model": ["brand-new"] * 5, "quality": [1.0] * 5})
    recent = replace(_recent(bundle, tuple(texts)), prompt_ids=ids, outcomes=outcomes)
    report = inspect(read, reference, recent, CONFIG, seed=0)
    assert report.quality is None
    assert report.as_dict()["unknown"] == {"brand-new": 5}


def test_a_large_reference_is_a_seeded_sample_without_repeats(seen):
    read, texts, embedding_ND, features_NF = seen
    times = REMEMBERED // len(texts) + 2
    many_ND = np.tile(embedding_ND, (times, 1))
    many_ND[:, 0] = np.arange(len(many_ND))
    split_N = np.full(len(many_ND), "test")
    samples = [
        make_reference(read.model, np.tile(features_NF, (times, 1)), many_ND, split_N, seed).embedding_KD[:, 0]
        for seed in (0, 0, 1)
    ]
    assert all(np.unique(sample).size == sample.size == REMEMBERED for sample in samples)
    assert np.array_equal(samples[0], samples[1])
    assert not np.array_equal(samples[0], samples[2])


def test_the_reports_tasks_are_the_routers_own(seen, bundle):
    from pointsman.router import Router

    read, texts, embedding_ND, features_NF = seen
    reference = make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "test"), seed=0)
    report = inspect(read, reference, _recent(bundle, tuple(texts)), CONFIG, seed=0)
    task_N = Router.load(bundle).route(texts).task_N
    assert report.verdict == "no drift"
    assert report.recent == report.reference == len(texts)
    assert [row["task"] for row in report.mix] == ["unassigned", "sums", "songs"]
    assert [row["recent"] for row in report.mix] == pytest.approx([np.mean(task_N == t) for t in (-1, 0, 1)])


def test_the_callers_embedding_is_used(seen, bundle):
    read, texts, embedding_ND, features_NF = seen
    reference = make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "test"), seed=0)
    report = inspect(
        read, reference, _recent(bundle, tuple(texts)), CONFIG, 0, lambda _, prompts: -embedding_ND[: len(prompts)]
    )
    assert "embeddings, energy coefficient" in {check.name for check in report.checks if check.alarm}


def test_embeddings_of_another_width_name_their_file(seen, bundle):
    read, texts, embedding_ND, features_NF = seen
    reference = make_reference(read.model, features_NF, embedding_ND, np.full(len(texts), "test"), seed=0)
    with pytest.raises(DriftInputError, match=f"{bundle.name}: embeddings have 7 dimensions.* has 24"):
        inspect(read, reference, _recent(bundle, embedding_ND=embedding_ND[:, :7]), CONFIG, seed=0)

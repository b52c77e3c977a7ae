import numpy as np
import polars as pl
import pytest

from components.drift.recent import DriftInputError, read_recent
from components.tables.store import TableError

TEXTS = {"prompt_id": ["a", "b", "c"], "prompt": ["one", "two", "three"]}


def test_texts_with_outcomes(tmp_path):
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    rows = {"prompt_id": ["c", "a", "gone", "a"], "model": ["m", "m", "m", "other"], "quality": [0.25, 1.0, 0.5, 0.5]}
    pl.DataFrame(rows).write_ndjson(tmp_path / "outcomes.jsonl")
    recent = read_recent(tmp_path, minimum=3)
    assert recent.prompts == ("one", "two", "three")
    np.testing.assert_array_equal(recent.observed(("l", "m")), [[np.nan, 1.0], [np.nan, np.nan], [np.nan, 0.25]])
    assert recent.observed(("unheard of",)) is None


def test_outcomes_of_models_that_a_router_does_not_know_are_counted(tmp_path):
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    rows = [("a", "m", 1.0), ("a", "new", 0.5), ("b", "new", None), ("c", "Other", 0.0), ("gone", "new", 0.5)]
    pl.DataFrame(rows, schema=["prompt_id", "model", "quality"], orient="row").write_parquet(
        tmp_path / "outcomes.parquet"
    )
    recent = read_recent(tmp_path, minimum=3)
    # an answer without a grade tells as well that the model is in use; one of a prompt elsewhere isn't looked at
    assert list(recent.unknown(("m",)).items()) == [("new", 2), ("Other", 1)]
    assert recent.unknown(("m", "new", "Other")) == {}
    np.testing.assert_array_equal(recent.observed(("new",)), [[0.5], [np.nan], [np.nan]])
    assert read_recent(tmp_path, minimum=3).sample(1, seed=0).unknown(()).keys() <= {"m", "new", "Other"}


def test_without_outcomes_no_model_is_unknown(tmp_path):
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    assert read_recent(tmp_path, minimum=3).unknown(()) == {}


@pytest.mark.parametrize("name", ["prompts.jsonl", "prompts.json"])
def test_texts_need_no_ids(tmp_path, name):
    frame = pl.DataFrame({"prompt": ["x", "y"]})
    (frame.write_ndjson if name.endswith("l") else frame.write_json)(tmp_path / name)
    recent = read_recent(tmp_path, minimum=2)
    assert len(recent) == 2
    assert recent.observed(("m",)) is None


@pytest.mark.parametrize("name", ["embeddings.npy", "embeddings.parquet"])
def test_embeddings_alone_become_unit_vectors(tmp_path, name):
    vectors_ND = np.array([[3.0, 4.0], [0.0, 2.0]])
    if name.endswith("npy"):
        np.save(tmp_path / name, vectors_ND)
    else:
        pl.DataFrame({"embedding": vectors_ND.tolist()}).write_parquet(tmp_path / name)
    recent = read_recent(tmp_path, minimum=2)
    np.testing.assert_allclose(recent.embedding_ND, [[0.6, 0.8], [0.0, 1.0]], rtol=1e-6)
    assert recent.prompts is None


def test_texts_win_over_embeddings(tmp_path):
    np.save(tmp_path / "embeddings.npy", np.eye(3))
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    assert read_recent(tmp_path, minimum=1).prompts == ("one", "two", "three")


def test_a_sample_keeps_rows_together_and_in_order(tmp_path):
    ids = [f"{row:03d}" for row in range(200)]
    pl.DataFrame({"prompt_id": ids, "prompt": [f"text {i}" for i in ids]}).write_parquet(tmp_path / "prompts.parquet")
    recent = read_recent(tmp_path, minimum=1)
    some, again, other = recent.sample(50, seed=1), recent.sample(50, seed=1), recent.sample(50, seed=2)
    assert len(some) == 50
    assert [f"text {i}" for i in some.prompt_ids] == list(some.prompts)
    assert list(some.prompt_ids) == sorted(some.prompt_ids)
    assert some.prompts == again.prompts != other.prompts
    assert recent.sample(200, seed=1) is recent


def test_a_sample_takes_each_conversation_once_before_any_twice(tmp_path):
    talk = [f"talk {row // 8}" if row < 160 else None for row in range(200)]
    pl.DataFrame({"prompt": [str(row) for row in range(200)], "conversation_id": talk}).write_parquet(
        tmp_path / "prompts.parquet"
    )
    recent = read_recent(tmp_path, minimum=60)
    np.testing.assert_array_equal(recent.conversation_N[160:], -1)
    few, some = recent.sample(60, seed=1), recent.sample(80, seed=1)
    assert sorted(few.conversation_N.tolist()) == [*[-1] * 40, *range(20)]
    assert set(some.conversation_N.tolist()) == {-1, *range(20)}
    assert [recent.conversation_N[int(text)] for text in some.prompts] == some.conversation_N.tolist()
    with pytest.raises(
        DriftInputError, match=r"60 prompts of different conversations are too few .* at least 61 needed"
    ):
        read_recent(tmp_path, minimum=61)


def test_embeddings_can_say_which_are_turns_of_one_conversation(tmp_path):
    pl.DataFrame({"embedding": np.eye(3).tolist(), "conversation_id": ["a", None, "a"]}).write_parquet(
        tmp_path / "embeddings.parquet"
    )
    assert read_recent(tmp_path, minimum=2).conversation_N.tolist() == [0, -1, 0]


def _frame(**columns):
    return lambda folder: pl.DataFrame(columns).write_parquet(folder / "prompts.parquet")


def _array(value):
    return lambda folder: np.save(folder / "embeddings.npy", value)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda folder: None, r"nothing to judge \(looked for prompts.parquet"),
        (_frame(text=["a"]), r"prompts\.parquet: needs a text column 'prompt'"),
        (_frame(prompt=[1]), r"prompts\.parquet: needs a text column 'prompt'"),
        (_frame(prompt=["a", " ", None]), r"prompt is empty in 2 row\(s\), first \[1, 2\]"),
        (_frame(prompt=["a", "b"]), r"prompts\.parquet: 2 prompts are too few to judge drift, at least 3"),
        (
            _frame(prompt=["a", "b", "c"], conversation_id=[["x"], ["y"], ["z"]]),
            "conversation_id must be text, is List",
        ),
        (lambda folder: (folder / "prompts.parquet").write_text("no"), r"can't be read as parquet"),
        (lambda folder: (folder / "embeddings.npy").write_text("no"), r"embeddings\.npy: can't be read"),
        (_array(np.zeros(4)), r"must be a matrix of numbers, is float64 of shape \(4,\)"),
        (_array(np.full((2, 2), "x")), "must be a matrix of numbers"),
        (_array(np.array([[1.0, 0], [0, 0], [np.nan, 1]])), r"finite and not 0, broken in rows \[1, 2\]"),
        (
            lambda folder: pl.DataFrame({"embedding": [[1.0], [1.0, 2.0]]}).write_parquet(
                folder / "embeddings.parquet"
            ),
            r"of one width, found \[1, 2\]",
        ),
        (
            lambda folder: pl.DataFrame({"vector": [[1.0]]}).write_parquet(folder / "embeddings.parquet"),
            "needs a list column 'embedding'",
        ),
    ],
)
def test_what_cannot_be_judged_is_named(tmp_path, write, message):
    write(tmp_path)
    with pytest.raises(DriftInputError, match=message):
        read_recent(tmp_path, minimum=3)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DriftInputError, match="gone: no such folder"):
        read_recent(tmp_path / "gone", minimum=1)


@pytest.mark.parametrize(
    ("prompts", "outcomes", "message"),
    [
        ({"prompt": ["x"]}, {"prompt_id": ["a"], "model": ["m"], "quality": [1.0]}, "needs a column 'prompt_id'"),
        (
            {"prompt_id": ["a", "a"], "prompt": ["x", "y"]},
            {"prompt_id": ["a"], "model": ["m"], "quality": [1.0]},
            r"unique and not null, broken in rows \[0, 1\]",
        ),
        (
            TEXTS,
            {"prompt_id": ["a", "b"], "model": ["m", "m"], "quality": [1.0, 1.5]},
            r"\[0, 1\], broken in rows \[1\]",
        ),
        (
            TEXTS,
            {"prompt_id": ["a", "a"], "model": ["m", "m"], "quality": [1.0, 0.5]},
            r"together must be unique, broken in rows \[0, 1\]",
        ),
    ],
)
def test_outcomes_must_fit_the_prompts(tmp_path, prompts, outcomes, message):
    pl.DataFrame(prompts).write_parquet(tmp_path / "prompts.parquet")
    pl.DataFrame(outcomes).write_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(DriftInputError, match=message):
        read_recent(tmp_path, minimum=1)


def test_outcomes_without_model_name_their_file(tmp_path):
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    pl.DataFrame({"prompt_id": ["a"], "quality": [1.0]}).write_parquet(tmp_path / "outcomes.parquet")
    with pytest.raises(TableError, match=r"outcomes\.parquet: missing column\(s\) \['model'\]"):
        read_recent(tmp_path, minimum=1)


def test_answers_that_nobody_graded_are_not_observed(tmp_path):
    pl.DataFrame(TEXTS).write_parquet(tmp_path / "prompts.parquet")
    pl.DataFrame({"prompt_id": ["a"], "model": ["m"]}).write_parquet(tmp_path / "outcomes.parquet")
    assert read_recent(tmp_path, minimum=1).observed(("m",)) is None

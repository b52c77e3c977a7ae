"""Names of tasks: c-TF-IDF by hand, uniqueness, medoids, prompts without words."""

import math

import numpy as np
import pytest
from scipy import sparse

from components.tasks.graph import nothing
from components.tasks.labels import class_tfidf, describe, medoids
from components.tasks.partition import from_labels

PROMPTS = [
    "integrate the polynomial",
    "derivative of a polynomial",
    "polynomial roots",
    "translate the sentence into French",
    "French translation of a sentence",
    "translate this letter into French",
]
PARTITION = from_labels(np.repeat([0, 1], 3), minimum_size=1)
EMBEDDING = np.repeat(np.eye(2), 3, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(6, 2))


def test_class_tfidf_by_hand():
    count = sparse.csr_matrix(np.array([[3, 1], [0, 4]]))
    average = 4.0
    expected = [[3 / 4 * math.log(1 + average / 3), 1 / 4 * math.log(1 + average / 5)], [0, math.log(1 + average / 5)]]
    np.testing.assert_allclose(class_tfidf(count).toarray(), expected)


def test_labels_say_what_a_task_is_about():
    one, two = describe(PARTITION, PROMPTS, EMBEDDING, 0)
    assert one.keywords[0] == "polynomial"
    assert "french" in two.keywords[:2]
    assert "the" not in one.keywords + two.keywords
    assert (one.task, two.task, one.size) == (0, 1, 3)
    assert sorted(one.medoids) == [0, 1, 2]


def test_medoids_are_nearest_to_the_centroid_and_no_text_comes_twice():
    rng = np.random.default_rng(1)
    embedding = rng.normal(size=(30, 5)) + 2
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    assert medoids(embedding, [str(i) for i in range(30)], 3) == np.argsort(-(unit @ unit.mean(axis=0)))[:3].tolist()
    assert len(medoids(embedding, ["same"] * 30, 3)) == 1


def test_prompts_without_a_direction_are_typical_of_nothing():
    embedding = np.concatenate([EMBEDDING[:3], np.zeros((2, 2)), EMBEDDING[3:]])
    assert set(medoids(embedding[:5], [str(i) for i in range(5)], 3)) == {0, 1, 2}
    found = describe(
        from_labels(np.array([0] * 5 + [1] * 3), minimum_size=1), [*PROMPTS[:3], "", " ", *PROMPTS[3:]], embedding, 0
    )
    assert [task.size for task in found] == [5, 3]


def test_labels_are_unique_even_where_words_are_the_same():
    partition = from_labels(np.repeat([0, 1, 2], 2), minimum_size=1)
    found = describe(partition, ["sort numbers"] * 6, np.eye(6) + 1, 0)
    assert len({task.label for task in found}) == 3


@pytest.mark.parametrize("prompt", ["1 + 1", "the and of", "?!"])
def test_prompts_without_words_still_get_a_label(prompt):
    found = describe(PARTITION, [prompt] * 6, EMBEDDING, 0)
    assert [task.label for task in found] == ["task 0", "task 1"]
    assert found[0].keywords == ()


def test_the_same_seed_gives_the_same_names(monkeypatch):
    monkeypatch.setattr("components.tasks.labels.READ_PROMPTS", 2)
    assert describe(PARTITION, PROMPTS, EMBEDDING, 3) == describe(PARTITION, PROMPTS, EMBEDDING, 3)


def test_no_tasks_have_no_names():
    assert describe(nothing(6), PROMPTS, EMBEDDING, 0) == ()


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="5 prompts"):
        describe(PARTITION, PROMPTS[:5], EMBEDDING, 0)

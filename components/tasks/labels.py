"""Names that a person understands: keywords, a unique label and typical prompts of each task.

Shapes: N prompts, D dimensions, T tasks, V words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from components.tasks.neighbours import directions
from components.tasks.partition import Partition

READ_CHARACTERS = 2000
"""Start of each prompt that is read for keywords."""
READ_PROMPTS = 1000
"""Prompts of each task that are read, at most; a seeded sample of larger tasks."""
WORD = {"token_pattern": r"(?u)\b[^\W\d_][\w+#'-]*\w\b"}
KEYWORDS = 8
MEDOIDS = 3
LABEL_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDescription:
    """A task as a person reads it."""

    task: int
    label: str
    """Unique within the partition."""
    keywords: tuple[str, ...]
    """Most telling first; may be empty where prompts hold no words."""
    medoids: tuple[int, ...]
    """Rows of the most typical prompts, most typical first, no text twice."""
    size: int


def class_tfidf(count_TV: sparse.csr_matrix) -> sparse.csr_matrix:
    """Class-based TF-IDF: tf(w, t) log(1 + A / f(w)), A words a class on average (Grootendorst 2022, arXiv 2203.05794).

    Term frequencies are relative to the class, so that a large task doesn't claim every common word.

    Args:
        count_TV: occurrences of each word in each class, shape (T, V).

    Returns:
        Weights >= 0, shape (T, V).
    """
    total_T = np.maximum(np.asarray(count_TV.sum(axis=1)).ravel(), 1)
    frequency_V = np.maximum(np.asarray(count_TV.sum(axis=0)).ravel(), 1)
    words_a_class = total_T.mean()
    telling_V = np.log1p(words_a_class / frequency_V)
    return sparse.csr_matrix(sparse.diags(1 / total_T) @ count_TV @ sparse.diags(telling_V))


def medoids(embedding_KD: NDArray[np.floating], texts: Sequence[str], count: int) -> list[int]:
    """Positions of the prompts nearest to the centroid of unit embeddings, most typical first, no text twice."""
    unit_KD = directions(embedding_KD)
    order_K = np.argsort(-(unit_KD @ unit_KD.mean(axis=0)), kind="stable")
    chosen: list[int] = []
    for position in order_K.tolist():
        if all(texts[position].strip() != texts[other].strip() for other in chosen):
            chosen.append(position)
        if len(chosen) == count:
            break
    return chosen


def describe(
    partition: Partition, prompts: Sequence[str], embedding_ND: NDArray[np.floating], seed: int
) -> tuple[TaskDescription, ...]:
    """Every task's label, keywords and typical prompts, in order of task.

    Args:
        partition: of the N prompts.
        prompts: their texts.
        embedding_ND: their embeddings, shape (N, D).
        seed: of the sample that is read from large tasks.

    Raises:
        ValueError: lengths that don't fit, or embeddings that are not finite.
    """
    if not len(prompts) == embedding_ND.shape[0] == partition.task_N.size:
        raise ValueError(
            f"{len(prompts)} prompts and {embedding_ND.shape[0]} embeddings for {partition.task_N.size} assignments"
        )
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(partition.task_N == task) for task in range(partition.tasks)]
    read = [np.sort(rng.permutation(row_K)[:READ_PROMPTS]).tolist() for row_K in rows]
    words = _keywords([[prompts[row][:READ_CHARACTERS] for row in row_K] for row_K in read])
    labels = _unique_labels(words)
    return tuple(
        TaskDescription(
            task=task,
            label=labels[task],
            keywords=tuple(words[task][:KEYWORDS]),
            medoids=tuple(
                int(row_K[position])
                for position in medoids(embedding_ND[row_K], [prompts[row] for row in row_K.tolist()], MEDOIDS)
            ),
            size=int(row_K.size),
        )
        for task, row_K in enumerate(rows)
    )


def _keywords(texts: list[list[str]]) -> list[list[str]]:
    if not texts:
        return []
    flat = [text for group in texts for text in group]
    # Words that open with a letter: numbers differ from prompt to prompt and name nothing.
    counter = CountVectorizer(stop_words="english", max_features=50_000, **WORD)
    try:
        count_NV = counter.fit_transform(flat)
    except ValueError:  # scikit-learn's way to say that no word is left
        return [[] for _ in texts]
    owner_N = np.repeat(np.arange(len(texts)), [len(group) for group in texts])
    member_TN = sparse.csr_matrix((np.ones(len(flat)), (owner_N, np.arange(len(flat)))), shape=(len(texts), len(flat)))
    # A prompt that repeats a word a hundred times says it once.
    weight_TV = class_tfidf(sparse.csr_matrix(member_TN @ (count_NV > 0).astype(np.float64)))
    vocabulary = counter.get_feature_names_out()
    found = []
    for task in range(len(texts)):
        row_V = weight_TV[task].toarray().ravel()
        order_V = np.argsort(-row_V, kind="stable")[: KEYWORDS * 4]
        found.append(_distinct([str(vocabulary[word]) for word in order_V if row_V[word] > 0]))
    return found


def _distinct(words: list[str]) -> list[str]:
    """The words without plain plurals of an earlier one."""
    kept: list[str] = []
    for word in words:
        if not any(word in (other + "s", other + "es") or other in (word + "s", word + "es") for other in kept):
            kept.append(word)
    return kept


def _unique_labels(words: list[list[str]]) -> list[str]:
    labels: list[str] = []
    for task, own in enumerate(words):
        label = ", ".join(own[:LABEL_WORDS]) or f"task {task}"
        # A further keyword tells two tasks apart; a number only where none is left.
        for more in range(LABEL_WORDS + 1, len(own) + 1):
            if label not in labels:
                break
            label = ", ".join([*own[: LABEL_WORDS - 1], own[more - 1]])
        stem, number = label, 2
        while label in labels:
            label, number = f"{stem} ({number})", number + 1
        labels.append(label)
    return labels

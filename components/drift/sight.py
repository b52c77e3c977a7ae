"""Recent prompts as the router sees them. Shapes: N recent and K reference prompts, M candidates, D dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.drift.reference import Reference
from components.tasks.neighbours import exact_search
from pointsman.model.novelty import Novelty
from pointsman.model.router_model import RouterModel
from pointsman.text.features import FeatureMap
from pointsman.text.tokens import Tokens

NEIGHBOURS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sight:
    """Both sides in the same terms."""

    recent_ND: NDArray[np.float32]
    reference_KD: NDArray[np.float32]
    task_N: NDArray[np.int32]
    """-1: unassigned."""
    task_K: NDArray[np.int32]
    far_N: NDArray[np.bool_]
    """Unlike anything the router was fitted on."""
    far_K: NDArray[np.bool_]
    quality_NM: NDArray[np.float64] | None
    """Predicted quality; None: needs the texts."""
    prompts: tuple[str, ...] | None

    def take(self, rows_n: NDArray[np.intp]) -> "Sight":
        """The same reference with a choice of the recent prompts, in its order."""
        return replace(
            self,
            recent_ND=self.recent_ND[rows_n],
            task_N=self.task_N[rows_n],
            far_N=self.far_N[rows_n],
            quality_NM=None if self.quality_NM is None else self.quality_NM[rows_n],
            prompts=None if self.prompts is None else tuple(self.prompts[row] for row in rows_n),
        )


def see_texts(
    model: RouterModel,
    feature_map: FeatureMap,
    prompts: Sequence[str],
    embedding_ND: NDArray[np.float32],
    tokens: Tokens,
    reference: Reference,
) -> Sight:
    """What the router itself predicts for prompts whose texts are known.

    Raises:
        ValueError: embeddings, tokens and router don't fit together.
    """
    prediction = model.predict(feature_map.transform(embedding_ND, tokens), embedding_ND, tokens.length_N)
    return Sight(
        recent_ND=embedding_ND,
        reference_KD=reference.embedding_KD,
        task_N=prediction.task_N,
        task_K=reference.task_K,
        far_N=prediction.novel_N,
        far_K=reference.far_K,
        quality_NM=prediction.quality_NM,
        prompts=tuple(prompts),
    )


def see_embeddings(novelty: Novelty, embedding_ND: NDArray[np.float32], reference: Reference) -> Sight:
    """Prompts known by their embeddings only: the classifier also reads words, so neighbours stand in for it.

    A prompt's task is the most frequent one among its 5 nearest reference prompts (the smallest number of equals). The
    reference is judged likewise, each prompt without itself, so that both sides meet the same rule.

    Raises:
        ValueError: embeddings of another width than the router's, or too small a reference.
    """
    if embedding_ND.shape[1] != reference.embedding_KD.shape[1]:
        raise ValueError(
            f"embeddings have {embedding_ND.shape[1]} dimensions, the router's encoder has "
            f"{reference.embedding_KD.shape[1]}"
        )
    count = reference.task_K.size
    if count <= NEIGHBOURS:
        raise ValueError(f"embeddings need a reference of more than {NEIGHBOURS} prompts, it has {count}")
    base_KD = reference.embedding_KD
    near_N, _ = exact_search(base_KD, embedding_ND, NEIGHBOURS)
    near_K, _ = exact_search(base_KD, base_KD, NEIGHBOURS, skip_Q=np.arange(count))
    return Sight(
        recent_ND=embedding_ND,
        reference_KD=base_KD,
        task_N=majority(reference.task_K[near_N]),
        task_K=majority(reference.task_K[near_K]),
        far_N=novelty.novel(embedding_ND),
        far_K=reference.far_K,
        quality_NM=None,
        prompts=None,
    )


def majority(task_NK: NDArray[np.int32]) -> NDArray[np.int32]:
    """The most frequent task of each row, the smallest number among equals, shape (N,).

    >>> majority(np.array([[2, 0, 2], [1, -1, 0]], dtype=np.int32)).tolist()
    [2, -1]
    """
    tasks = int(task_NK.max(initial=-1)) + 2
    votes_NT = np.zeros((task_NK.shape[0], tasks), dtype=np.int32)
    np.add.at(votes_NT, (np.arange(task_NK.shape[0])[:, None], task_NK + 1), 1)
    return np.asarray(votes_NT.argmax(axis=1) - 1, dtype=np.int32)

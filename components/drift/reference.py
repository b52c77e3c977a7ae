"""What is remembered of training to compare recent prompts with.

Shapes: K reference prompts, N prompts of the logs, D embedding, F features.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.drift.conversations import conversations, turns_apart
from pointsman.model.router_model import RouterModel

REMEMBERED = 2000
"""Reference prompts at most: 3 MB of embeddings."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """Prompts of the training logs that the router was not fitted on, one of a conversation, as it sees them."""

    embedding_KD: NDArray[np.float32]
    """Unit rows."""
    task_K: NDArray[np.int32]
    """Task that the router assigns; -1: unassigned."""
    far_K: NDArray[np.bool_]
    """Which are unlike anything the router was fitted on, by its own novelty guard."""

    def __post_init__(self) -> None:
        if self.embedding_KD.ndim != 2 or not self.embedding_KD.shape[0] == self.task_K.size == self.far_K.size:
            raise ValueError(
                f"a reference has one embedding, task and flag a prompt, got {self.embedding_KD.shape}, "
                f"{self.task_K.shape} and {self.far_K.shape}"
            )


def make_reference(
    model: RouterModel,
    features_NF: NDArray[np.float32],
    embedding_ND: NDArray[np.float32],
    split_N: NDArray[np.str_],
    seed: int,
    conversation_N: NDArray[np.integer] | None = None,
) -> Reference:
    """A seeded sample of the test prompts: recent ones are new to the router too, so both meet it alike.

    On prompts it was fitted on, a router is surer and nothing is far away: any new prompt would look like drift.
    Turns of one conversation are alike, and to tests that take prompts for independent a few long conversations would
    look like drift. Near-duplicates stay: how often something is asked is what the task mix is about.

    Args:
        model: the trained router.
        features_NF: the feature map's output for all prompts of the logs.
        embedding_ND: their unit embeddings.
        split_N: 'train', 'calibration', 'validation' or 'test'.
        seed: of the sample.
        conversation_N: prompts of one conversation share a number, and one of them is taken; below 0, or None: they
            belong to none.

    Raises:
        ValueError: there is no test prompt.
    """
    held = np.flatnonzero(split_N == "test")
    if held.size == 0:
        raise ValueError("a reference needs prompts in the test split")
    talk_H = np.full(held.size, -1) if conversation_N is None else conversation_N[held]
    rows = np.sort(held[turns_apart(talk_H, seed)[: min(REMEMBERED, conversations(talk_H))]])
    return Reference(
        embedding_KD=embedding_ND[rows],
        task_K=model.tasks(features_NF[rows]),
        far_K=model.novelty.novel(embedding_ND[rows]),
    )

"""What a router rests on when a candidate comes or goes. Shapes: K probes or prompts, T tasks, M candidates."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pointsman.bundle.evidence import CHOICE, UNJUDGED, Evidence, prompt_digests


def with_candidate(evidence: Evidence, task_K: NDArray[np.int32], prompts: Sequence[str]) -> Evidence:
    """What a router with a newcomer rests on: its probes counted by task, their prompts among those trained on.

    Args:
        evidence: of the router in service.
        task_K: task of each probe, -1: none.
        prompts: texts of the probes.
    """
    count_T = np.bincount(task_K[task_K >= 0], minlength=evidence.count_TM.shape[0])
    fresh = np.setdiff1d(prompt_digests(prompts), evidence.digest_K)
    digest_K = np.concatenate([evidence.digest_K, fresh])
    held_K = np.concatenate([evidence.held_choice_K, np.full(fresh.size, UNJUDGED, dtype=CHOICE)])
    order = np.argsort(digest_K, kind="stable")
    return Evidence(
        count_TM=np.concatenate([evidence.count_TM, count_T[:, None]], axis=1).astype(np.int64),
        count_M=np.append(evidence.count_M, task_K.size).astype(np.int64),
        digest_K=digest_K[order],
        held_choice_K=held_K[order],
    )


def without_candidate(evidence: Evidence, column: int) -> Evidence:
    """The same without one candidate; held-out choices of it are none."""
    held_K = evidence.held_choice_K
    left_K = np.where(held_K > column, held_K - 1, np.where(held_K == column, UNJUDGED, held_K))
    return Evidence(
        count_TM=np.delete(evidence.count_TM, column, axis=1),
        count_M=np.delete(evidence.count_M, column),
        digest_K=evidence.digest_K,
        held_choice_K=left_K.astype(CHOICE),
    )

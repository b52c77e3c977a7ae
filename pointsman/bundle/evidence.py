"""What a router's predictions rest on, and how it did on prompts that each of its parts hadn't seen.

Shapes: T tasks, M candidates; K prompts that it was trained on.
"""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

CHOICE = np.int16
"""Of a held-out choice in a new bundle: there is one for each prompt. Older bundles have wider ones."""
UNJUDGED = -1
"""Held-out choice of a prompt that has none."""


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Counts of outcomes, and digests of the training prompts: no text can be read back from them."""

    count_TM: NDArray[np.int64]
    """Observed outcomes of each candidate on each task's training prompts."""
    count_M: NDArray[np.int64]
    """The same on all training prompts."""
    digest_K: NDArray[np.uint64]
    """`prompt_digests` of the training prompts, ascending."""
    held_choice_K: NDArray[np.signedinteger]
    """What the operating policy chose on each, by parts trained without it; UNJUDGED: none."""

    def __post_init__(self) -> None:
        if self.count_TM.ndim != 2 or self.count_M.shape != self.count_TM.shape[1:]:
            raise ValueError(f"evidence counts are {self.count_TM.shape} by task and {self.count_M.shape} in all")
        if self.digest_K.ndim != 1 or self.held_choice_K.shape != self.digest_K.shape:
            raise ValueError(f"evidence has {self.digest_K.shape} digests and {self.held_choice_K.shape} choices")
        if self.digest_K.dtype != np.uint64 or (self.digest_K[1:] < self.digest_K[:-1]).any():
            raise ValueError("evidence digests must be ascending and of type uint64")
        for name in ("count_TM", "count_M", "held_choice_K"):
            if getattr(self, name).dtype.kind != "i":
                raise ValueError(f"evidence.{name} has type {getattr(self, name).dtype}, want whole numbers")
        choice_K = self.held_choice_K
        if choice_K.size and not (choice_K.min() >= UNJUDGED and choice_K.max() < self.count_M.size):
            raise ValueError(f"evidence.held_choice_K must be in [{UNJUDGED}, {self.count_M.size})")
        if min(self.count_TM.min(initial=0), self.count_M.min(initial=0)) < 0:
            raise ValueError("evidence counts must be >= 0")

    def seen(self, digest_N: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which prompts the router was trained on, shape (N,)."""
        return np.isin(digest_N, self.digest_K)

    def held_choices(self, digest_N: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The held-out choice on each prompt, shape (N,); UNJUDGED where there is none or the prompt wasn't trained on.

        Of prompts with equal text the first one's choice stands for all.
        """
        if self.digest_K.size == 0:
            return np.full(digest_N.shape, UNJUDGED, dtype=np.int64)
        place_N = np.minimum(np.searchsorted(self.digest_K, digest_N), self.digest_K.size - 1)
        found_N = self.digest_K[place_N] == digest_N
        return np.where(found_N, self.held_choice_K[place_N], UNJUDGED).astype(np.int64)

    def supported(self, task_N: NDArray[np.int32]) -> NDArray[np.bool_] | None:
        """Whether each candidate has outcomes on each prompt's task, shape (N, M); None where all have, everywhere."""
        return None if self._all_observed else self.outcomes_TM[task_N] > 0

    @cached_property
    def outcomes_TM(self) -> NDArray[np.int64]:
        """Outcomes by task, and in one row more those of all prompts, where a prompt without a task (-1) finds them."""
        return np.concatenate([self.count_TM, self.count_M[None]])

    @cached_property
    def _all_observed(self) -> bool:
        return bool((self.outcomes_TM > 0).all())


def no_evidence(tasks: int, candidates: int) -> Evidence:
    """Of a router that nothing is known about: every candidate may be chosen, no prompt counts as seen."""
    return Evidence(
        count_TM=np.ones((tasks, candidates), dtype=np.int64),
        count_M=np.ones(candidates, dtype=np.int64),
        digest_K=np.zeros(0, dtype=np.uint64),
        held_choice_K=np.zeros(0, dtype=CHOICE),
    )


def prompt_digests(prompts: Iterable[str]) -> NDArray[np.uint64]:
    """64 bits of each text's BLAKE2, after normalising what a re-export changes: case, white space, composed letters.

    >>> prompt_digests(["What is  2+2?\\n"]) == prompt_digests(["what is 2+2?"])
    array([ True])
    """
    return np.array([_digest(prompt) for prompt in prompts], dtype=np.uint64)


def _digest(prompt: str) -> int:
    plain = " ".join(unicodedata.normalize("NFC", prompt).casefold().split())
    content = plain.encode("utf-8", errors="surrogatepass")
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big")

"""Requests that were found in order, the pieces that large ones are predicted in, and what is believed of a piece."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.prediction import Prediction
from pointsman.policy.eligibility import Wanted
from pointsman.router import OPERATING, Router
from pointsman.serving.canary import Arm
from pointsman.text.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """A request that was found in order."""

    prompts: list[str]
    decision_ids: list[str]
    policy: str = OPERATING
    wanted: Wanted = field(default_factory=Wanted)
    characters: list[int] | None = None
    """Of all that a candidate is sent for each prompt; None: the prompt alone."""
    digests: list[str] | None = None
    """Which prompts they are; None: told by their text."""
    session: str | None = None
    tenant: str | None = None
    explain: bool = False
    in_tool_loop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Prompts that are predicted together, whole requests or parts of one."""

    router: Router
    arm: Arm
    job: Job
    start: int
    end: int

    @property
    def whole(self) -> bool:
        """Whether it is all of its request."""
        return self.end - self.start == len(self.job.prompts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """What is believed of a piece's prompts."""

    prediction: Prediction
    tokens: Tokens
    embedding_ND: NDArray[np.float32]


def joined(parts: Sequence[Predicted]) -> Predicted:
    """Pieces of one router end to end."""
    columns: dict[str, Any] = {}
    for entry in fields(Prediction):
        arrays = [getattr(part.prediction, entry.name) for part in parts]
        columns[entry.name] = None if arrays[0] is None else np.concatenate(arrays)
    return Predicted(
        prediction=Prediction(**columns),
        tokens=joined_tokens([part.tokens for part in parts]),
        embedding_ND=np.concatenate([part.embedding_ND for part in parts]),
    )


def joined_tokens(parts: Sequence[Tokens]) -> Tokens:
    """Tokens of several batches as of one."""
    length_N = np.concatenate([part.length_N for part in parts]).astype(np.int64)
    return Tokens(
        indptr_N1=np.concatenate([[0], np.cumsum(length_N)]),
        token_E=np.concatenate([part.token_E for part in parts]),
    )


def new_id() -> str:
    """A decision's name, 32 hex digits."""
    return os.urandom(16).hex()

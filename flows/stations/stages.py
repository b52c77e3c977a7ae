"""References to what a retrain's stations left: one frozen model that grows as stations finish.

Each kind has everything that the kind before it has, so that a signature says which stations must have finished and the
type checker holds it; no reference is ever missing. Cached stations take the few references that they read, each by
keyword: a key made of the whole model would run a station again because of a reference that it never opens.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from flows.platform.references import DataRef

Next = TypeVar("Next", bound="Prepared")


class Prepared(BaseModel):
    """After `split`: what is known before anything is learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logs: DataRef
    tables: DataRef
    validated: DataRef
    encoder: DataRef
    splits: DataRef
    features: DataRef
    laid_out: DataRef
    """The board."""

    def then(self, kind: type[Next], **left: Any) -> Next:
        """This and what later stations left.

        Raises:
            ValidationError: `left` isn't exactly what `kind` has beyond this.
        """
        return kind(**dict(self), **left)


class WithTasks(Prepared):
    """After `discover`."""

    discovered: DataRef


class WithClassifier(WithTasks):
    """After the first stage of `train`."""

    classified: DataRef


class WithRouter(WithClassifier):
    """After `train`."""

    specialised: DataRef
    combined: DataRef
    operated: DataRef


class WithPeers(WithRouter):
    """What the gate and the report read beside the router itself."""

    peers: dict[str, DataRef]
    """By the method's name."""
    implicit_classifier: DataRef
    held_out: DataRef
    timed: DataRef
    charted: DataRef


class WithReport(WithPeers):
    """After `evaluate`."""

    judged: DataRef

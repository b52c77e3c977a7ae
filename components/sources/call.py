"""What every log adapter yields: one answered call a row, or why a row is none."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from components.sources.files import Record
from components.tables.errors import TableError
from components.tables.listing import listed
from pointsman.text.conversation import DEFAULT, ConversationConfig

Row = Mapping[str, Any]


FAILED = "the call failed"
NO_CHAT = "not a chat call"
NO_SPAN = "not a span of a chat"
OTHER_FILTER = "another filter of the same answer"
NO_GRADE = "score: its category is no grade"
NO_ANSWER = frozenset({FAILED, NO_CHAT, NO_SPAN, OTHER_FILTER, NO_GRADE})
"""Reasons of rows that are read well and hold no answer of their own: they say nothing against a log."""


class RowError(ValueError):
    """A row that can't be used.

    `reason` is the same for all rows of its kind, `detail` tells this one's, `outside` a grade out of range.
    """

    def __init__(self, reason: str, detail: object = None, outside: float | None = None) -> None:
        super().__init__(reason if detail is None else f"{reason}: {detail!r:.120}")
        self.reason = reason
        self.outside = outside


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What a person says of a log that the log doesn't."""

    scale: tuple[float, float] | None = None
    """The grades' worst and best value; None: they are in [0, 1]."""
    metric: str | None = None
    """Which of several scores is the quality; None: the format's usual one."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Names of models in the log, and what they are called in the tables."""
    conversation: ConversationConfig = DEFAULT
    """Which turns of a conversation make the prompt."""
    responses: bool = True
    """Keep the answers that nobody has graded yet, for graders."""

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale[0] != self.scale[1]:
            raise ValueError(f"scale must have two different ends, got {self.scale[0]:g}:{self.scale[1]:g}")

    def check_metric(self, path: Path, names: Collection[str]) -> None:
        """Lets no metric pass that a log with scores has no score of: all its answers would seem ungraded.

        Args:
            path: of the log.
            names: of all its scores.

        Raises:
            TableError: there are scores, and none is called so.
        """
        if self.metric is not None and names and self.metric not in names:
            raise TableError(f"{path}: no score is called '{self.metric}'; there are {listed(sorted(names))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A row that is set aside."""

    file: str
    row: int
    """Line, or number of the record, from 1."""
    reason: str
    detail: str
    outside: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One grader's word on the answer."""

    grader: str
    kind: str
    grade: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One answer of one model to one prompt. What the log doesn't tell is None."""

    model: str
    prompt: str
    digest: str
    """Which prompt it is: `pointsman.text.conversation.prompt_digest`."""
    prompt_id: str | None = None
    """The log's own; None: made from benchmark and digest."""
    call_id: str | None = None
    """The log's own, the same in every export of the call."""
    requires: tuple[str, ...] = ()
    benchmark: str | None = None
    subject: str | None = None
    language: str | None = None
    reference: str | None = None
    conversation_id: str | None = None
    created_at: datetime | None = None
    quality: float | None = None
    """In [0, 1]."""
    graded_by: str | None = None
    grades: tuple[Grade, ...] = ()
    response: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    """Of the input tokens, those read from the provider's prompt cache."""
    output_tokens: int | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    propensity: float | None = None
    decision_id: str | None = None
    remarks: tuple[str, ...] = ()
    """What was passed over though the row is used, the same for all rows of its kind."""


Read = Iterator[Call | Unusable]


def each(records: Iterable[Record], read: Callable[[Any, Path], Call | Iterable[Call | RowError]]) -> Read:
    """Calls of records, and for each record, or part of one, that can't be read why."""
    for record in records:
        try:
            if record.error is not None:
                raise RowError(record.error, record.content)
            found = read(record.content, record.path)
        except RowError as error:
            found = [error]
        for one in (found,) if isinstance(found, Call) else found:
            yield _unusable(record, one) if isinstance(one, RowError) else one


def _unusable(record: Record, error: RowError) -> Unusable:
    return Unusable(
        file=record.path.name, row=record.number, reason=error.reason, detail=str(error), outside=error.outside
    )

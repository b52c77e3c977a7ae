"""Which candidates a prompt may go to: names, capabilities, context windows, retirement. One rule for every caller.

Shapes: N prompts, M candidates.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pointsman.model.latency import LatencyHead

Mask = NDArray[np.bool_]
WINDOW_MARGIN = 1.2
"""Tokens of a candidate for one of the router's tokenizer: vocabularies differ, so the estimate is cautious."""

MOST_OUTPUT_TOKENS = 100_000_000
"""Beyond any answer; a larger number is a slip."""


class NoneEligible(ValueError):
    """No candidate may be chosen; the message says of the first such prompt which rule removed whom.

    Args:
        reasons: why, by the prompt's row.
        whatever_is_asked: it would be so of any prompt, because of what is wanted.
    """

    def __init__(self, reasons: Mapping[int, str], *, whatever_is_asked: bool = False) -> None:
        row, reason = next(iter(reasons.items()))
        super().__init__(f"prompt {row}: {reason}")
        self.reasons = reasons
        self.whatever_is_asked = whatever_is_asked


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Facts:
    """What is known of M candidates beside their quality and cost."""

    window_M: NDArray[np.float64]
    """Tokens of prompt and answer together that a candidate takes; inf: not limited, or unknown."""
    capabilities_M: tuple[frozenset[str] | None, ...]
    """What a candidate can do, such as tools or vision; None: unknown, nothing is held against it."""
    retired_M: Mask
    """No longer offered."""
    latency: LatencyHead | None = None
    """How long calls take; None: unknown."""

    @classmethod
    def unknown(cls, candidates: int) -> "Facts":
        """Of candidates that nothing limits."""
        return cls(
            window_M=np.full(candidates, np.inf),
            capabilities_M=(None,) * candidates,
            retired_M=np.zeros(candidates, dtype=np.bool_),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks of candidates; names are kept and compared in Unicode NFC without spaces around.

    Raises:
        ValueError: a name that is no text, or a number out of its range.
    """

    among: tuple[str, ...] | None = None
    """Names that may be chosen; None: all."""
    exclude: tuple[str, ...] = ()
    """Names that may not; names of no candidate are passed over, for there is nothing to exclude."""
    requires: tuple[str, ...] = ()
    """Capabilities that the choice must have."""
    max_output_tokens: int = 0
    """Tokens that the answer may take, in [0, MOST_OUTPUT_TOKENS]: they must fit into the window with the prompt."""
    latency_ms: float = float("inf")
    """What 95 % of such calls to the choice must take at most, > 0; whose latency is unknown may be chosen."""

    def __post_init__(self) -> None:
        for name in ("among", "exclude", "requires"):
            given = getattr(self, name)
            if isinstance(given, str):
                raise ValueError(f"{name} must be a sequence of names, not one text")
            if given:
                object.__setattr__(self, name, _names(name, given))
        tokens: Any = self.max_output_tokens
        if not isinstance(tokens, Real):
            raise ValueError(f"max_output_tokens must be a number, is {type(tokens).__name__}")
        if not 0 <= self.max_output_tokens <= MOST_OUTPUT_TOKENS:
            # of a number of thousands of digits Python would rather not tell them all
            got = "more" if self.max_output_tokens > 0 else self.max_output_tokens
            raise ValueError(f"max_output_tokens must be in [0, {MOST_OUTPUT_TOKENS}], got {got}")
        if not self.latency_ms > 0:
            raise ValueError(f"latency must be > 0 ms, got {self.latency_ms}")


def wanted_of(
    among: Sequence[str] | None, exclude: Sequence[str] | None, requires: Sequence[str] | None, max_output_tokens: int
) -> Wanted:
    """What is wanted, of any sequences of names; None: as if it weren't said.

    Raises:
        ValueError: as `Wanted`; one text instead of names.
    """
    for name, given in (("among", among), ("exclude", exclude), ("requires", requires)):
        if isinstance(given, str):
            raise ValueError(f"{name} must be a sequence of names, not one text")
    return Wanted(
        among=None if among is None else tuple(among),
        exclude=tuple(exclude or ()),
        requires=tuple(requires or ()),
        max_output_tokens=max_output_tokens,
    )


def _names(field: str, given: Iterable[str]) -> tuple[str, ...]:
    for name in given:
        if not isinstance(name, str):
            raise ValueError(f"{field} must be a sequence of names, holds {type(name).__name__}")
    return tuple(map(_plain, given))


def _plain(name: str) -> str:
    """As tables keep names; most are so already."""
    return unicodedata.normalize("NFC", name.strip())


ANY = Wanted()


def constrained(policy: str, wanted: Wanted) -> tuple[str, Wanted]:
    """A policy's name without its constraint on latency, which goes to what is wanted.

    Raises:
        ValueError: a latency that is no number above 0.

    >>> constrained("best,latency<=800", ANY)[0], constrained("best,latency<=800", ANY)[1].latency_ms
    ('best', 800.0)
    """
    name, comma, limit = policy.partition(",")
    if not comma:
        return policy, wanted
    what, equals, figure = limit.strip().partition("<=")
    try:
        milliseconds = float(figure)
    except ValueError:
        milliseconds = float("nan")
    if what.strip() != "latency" or not equals or not 0 < milliseconds < float("inf"):
        raise ValueError(f"policy {policy!r}: want POLICY,latency<=MS with MS > 0")
    return name.strip(), replace(wanted, latency_ms=min(milliseconds, wanted.latency_ms))


def columns_of(models: Sequence[str], among: Sequence[str]) -> NDArray[np.intp]:
    """Where the named candidates are, ascending.

    Raises:
        ValueError: no name, or one that the router doesn't know.

    >>> columns_of(("small", "middle", "large"), ["large", "small"]).tolist()
    [0, 2]
    """
    if isinstance(among, str) or not among:
        raise ValueError("choosing among candidates needs at least one name, as a sequence")
    wanted, known = set(map(_plain, among)), list(map(_plain, models))
    unknown = sorted(wanted - set(known))
    if unknown:
        raise ValueError(
            f"the router doesn't know {', '.join(map(repr, unknown))}: it was trained on {', '.join(models)}. "
            "Retrain with outcomes of a new candidate before routing to it"
        )
    return np.array([column for column, model in enumerate(known) if model in wanted], dtype=np.intp)


def eligible(
    models: Sequence[str],
    facts: Facts,
    wanted: Wanted,
    input_tokens_N: NDArray[np.integer],
    task_N: NDArray[np.int32] | None = None,
) -> tuple[Mask, dict[str, Mask]]:
    """Who may be chosen for each prompt, and whom each rule removed that no earlier rule had.

    Args:
        models: names of the candidates.
        facts: what is known of them.
        wanted: what the request asks.
        input_tokens_N: tokens of each prompt by the router's tokenizer; WINDOW_MARGIN times as many must fit.
        task_N: task of each prompt, by which latency is expected; None: nobody has one.

    Returns:
        Shape (N, M); and by rule the same.

    Raises:
        ValueError: `among` names a candidate that isn't known.
        NoneEligible: a prompt is left without candidates.
    """
    shape_NM = (input_tokens_N.shape[0], len(models))
    named_M = np.ones(len(models), dtype=np.bool_)
    if wanted.among is not None:
        named_M = np.zeros(len(models), dtype=np.bool_)
        named_M[columns_of(models, wanted.among)] = True
    needs = frozenset(wanted.requires)
    able_M = [capable is None or needs <= capable for capable in facts.capabilities_M]
    needed_N = np.ceil(input_tokens_N * WINDOW_MARGIN) + wanted.max_output_tokens
    rules: dict[str, NDArray[np.bool_]] = {
        "retired": ~facts.retired_M,
        "among": named_M,
        "exclude": np.array(
            [not wanted.exclude or _plain(model) not in wanted.exclude for model in models], dtype=np.bool_
        ),
        "requires": np.array(able_M, dtype=np.bool_),
        "context window": needed_N[:, None] <= facts.window_M,
    }
    if facts.latency is not None and wanted.latency_ms < float("inf"):
        tasks_N = np.full(shape_NM[0], -1, dtype=np.int32) if task_N is None else task_N
        # what is unknown is nan, which is above nothing
        rules["latency"] = ~(facts.latency.most_ms(tasks_N, input_tokens_N) > wanted.latency_ms)
    left_NM: Mask = np.ones(shape_NM, dtype=np.bool_)
    removed: dict[str, Mask] = {}
    for rule, kept in rules.items():
        removed[rule] = left_NM & ~np.broadcast_to(kept, shape_NM)
        left_NM = np.asarray(left_NM & kept, dtype=np.bool_)
    without_N = np.flatnonzero(~left_NM.any(axis=1))
    if without_N.size:
        rows = without_N.tolist()
        kept_M = np.logical_and.reduce([kept for kept in rules.values() if kept.ndim == 1])
        raise NoneEligible(
            {row: _said(models, facts, wanted, removed, row, int(needed_N[row])) for row in rows},
            whatever_is_asked=not (kept_M & (wanted.max_output_tokens <= facts.window_M)).any(),
        )
    return left_NM, removed


def unlimited(facts: Facts, wanted: Wanted) -> bool:
    """Whether all candidates may be chosen for any prompt."""
    return wanted == ANY and not facts.retired_M.any() and bool(np.isinf(facts.window_M).all())


def _said(models: Sequence[str], facts: Facts, wanted: Wanted, removed: dict[str, Mask], row: int, needed: int) -> str:
    words = {
        "retired": "retired",
        "among": "not among those asked for",
        "exclude": "excluded",
        "requires": f"without what it requires ({', '.join(wanted.requires)})",
        "context window": f"too small for about {needed} tokens of prompt and answer",
        "latency": f"slower than {wanted.latency_ms:g} ms in more than one call of twenty",
    }
    parts = []
    for rule, gone_NM in removed.items():
        gone = np.flatnonzero(gone_NM[row]).tolist()
        if gone:
            window = rule == "context window"
            names = (f"{models[m]} ({facts.window_M[m]:.0f})" if window else models[m] for m in gone)
            parts.append(f"{words[rule]}: {', '.join(names)}")
    return f"no candidate is left. {'; '.join(parts)}"

"""The decision log of the server: every choice with its propensity, and what became of the answers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from components.sources.call import FAILED, Call, Grade, Read, ReadOptions, RowError, Unusable, each
from components.sources.fields import count_of, decoded, number_of, plain, propensity_of, quality_of, text_of, time_of
from components.sources.files import Record, records, suffix_of
from components.tables.reading import read_frame
from components.tables.schema import OUTCOMES

_REPORTED = ("quality", "thumb", "input_tokens", "output_tokens", "cost_usd", "latency_ms", "error")
_ALIKE = 1e-6
TWICE = "the decision's id stands for another prompt or candidate as well"
"""The reason of decisions of which nobody can say what an outcome is about."""


def read_decisions(paths: Sequence[Path], options: ReadOptions) -> Read:
    """Segments of decisions (`decision_id`, `candidate`, `propensity`, `text` ...) and of outcomes, joined by id.

    Of several outcomes of a decision each figure's last one counts. A decision without text can't be learnt from and is
    set aside, and so is one whose propensity can't be: not in (0, 1], or not what its scores' alternatives leave; and
    so are all decisions of an id that stands for several prompts or candidates.
    """
    decisions: dict[str, Record] = {}
    others: list[Record] = []
    reports: list[Record] = []
    orphans: list[Record] = []
    for record in (record for path in paths if not path.name.startswith("shadow") for record in _rows(path)):
        if record.error is not None:
            orphans.append(record)
        elif text_of(record.content, "candidate") is not None:
            # segments that were being joined when the server was killed stand twice
            first = decisions.setdefault(str(record.content.get("decision_id")), record)
            if _asked(first.content) != _asked(record.content):
                others.append(record)
        else:
            reports.append(record)
    outcomes: dict[str, dict[str, Any]] = {}
    for record in sorted(reports, key=lambda record: str(record.content.get("told_at") or "")):
        outcome = {name: record.content[name] for name in _REPORTED if record.content.get(name) is not None}
        outcomes.setdefault(str(record.content.get("decision_id")), {}).update(outcome)
    unclear = {str(record.content.get("decision_id")) for record in others}
    kept = [record for key, record in decisions.items() if key not in unclear]
    yield from each([*(decisions[key] for key in decisions if key in unclear), *others], _unclear)
    yield from each([*orphans, *kept], partial(_call, outcomes=outcomes, options=options))
    lost = sorted(set(outcomes) - set(decisions))
    if lost:
        yield Unusable(
            file=paths[0].name,
            row=0,
            reason="outcomes of decisions that aren't in the log",
            detail=f"{len(lost)} outcomes, first {lost[0]}",
        )


def _rows(path: Path) -> Iterator[Record]:
    if suffix_of(path) != ".parquet":
        yield from records(path)
        return
    for number, row in enumerate(read_frame(path, OUTCOMES).iter_rows(named=True), start=1):
        yield Record(path=path, number=number, content=row)


def _asked(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Which prompt and candidate a decision is about."""
    return text_of(row, "digest") or text_of(row, "text", "prompt"), text_of(row, "candidate")


def _unclear(row: Mapping[str, Any], _: Path) -> Call:
    raise RowError(TWICE, str(row.get("decision_id")))


def _call(row: Mapping[str, Any], _: Path, *, outcomes: Mapping[str, dict[str, Any]], options: ReadOptions) -> Call:
    key = str(row.get("decision_id"))
    outcome = outcomes.get(key, {})
    text = text_of(row, "text", "prompt")
    if text is None:
        if any(isinstance(row.get(name), str) for name in ("text", "prompt")):
            raise RowError("the prompt is empty")
        raise RowError("the decision was logged without its text (pointsman serve: the setting for texts)")
    if outcome.get("error"):
        raise RowError(FAILED)
    decided = row.get("decided_at")
    return Call(
        model=str(row["candidate"]),
        **{**plain(text), **({"digest": row["digest"]} if text_of(row, "digest") else {})},
        call_id=key,
        decision_id=key,
        requires=tuple(_list(row.get("requires"))),
        conversation_id=text_of(row, "session"),
        created_at=decided.replace(tzinfo=None) if isinstance(decided, datetime) else time_of(decided),
        quality=quality_of(outcome.get("quality", row.get("quality")), options),
        grades=tuple(_thumb(outcome)),
        graded_by=None,
        input_tokens=count_of({**row, **outcome}, "input_tokens"),
        output_tokens=count_of(outcome, "output_tokens"),
        cost_usd=number_of(outcome, "cost_usd"),
        latency_ms=number_of(outcome, "latency_ms"),
        propensity=_propensity(row),
    )


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [one.strip() for one in value.split(",") if one.strip()]
    return [str(one) for one in value] if isinstance(value, list | tuple) else []


def _thumb(outcome: Mapping[str, Any]) -> Iterator[Grade]:
    thumb = outcome.get("thumb")
    if thumb is None:
        return
    up = thumb in (True, 1, "up", "1", "true")
    yield Grade(grader="user", kind="feedback", grade=float(up))


def _propensity(row: Mapping[str, Any]) -> float | None:
    propensity = propensity_of(row)
    chances = decoded(row.get("propensities"))
    if propensity is not None and isinstance(chances, dict):
        known = {name: number_of(chances, name) or 0.0 for name in chances}
        if abs(sum(known.values()) - 1) > 1e-3 or abs(known.get(str(row["candidate"]), 0.0) - propensity) > _ALIKE:
            raise RowError("propensities don't agree", propensity)
    return propensity

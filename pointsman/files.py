"""Routing whole files: prompts in, decisions out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl
from polars.datatypes import DataTypeClass

from pointsman.bundle.signature import Trust
from pointsman.durable import write_whole
from pointsman.errors import InputError
from pointsman.model.prediction import Prediction
from pointsman.policy.among import rows_of
from pointsman.policy.eligibility import NoneEligible, Wanted, constrained, wanted_of
from pointsman.policy.policy import Budget, Policy
from pointsman.prompt_file import LARGEST, SUFFIXES, Prompts, prompt_column, prompts_of, read_rows
from pointsman.router import Router
from pointsman.text.lengths import lengths

EMPTY = "empty"
"""Reason of a decision on a prompt without text: the policy's choice for a prompt that nothing is known of."""
NOBODY = "none eligible"
"""How the reason of a row without a candidate begins."""

_FORMLESS: dict[str, tuple[DataTypeClass, ...]] = {
    ".csv": (pl.Binary, pl.Duration),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), (pl.Binary,)),
}
"""Types that polars can't write, by suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRouting:
    """What became of a file."""

    prompts: int
    """Rows."""
    empty: int
    """Of these, rows whose prompt is null or blank."""
    undecided: int = 0
    """Of these, rows without a candidate, for nobody can take their prompt."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Columns of the input that are called as a decision's, and what they are called in the output."""


def route_file(
    router: Path | str,
    source: Path,
    target: Path,
    policy: str,
    among: Sequence[str] | None = None,
    *,
    exclude: Sequence[str] = (),
    requires: Sequence[str] = (),
    max_output_tokens: int = 0,
    trust: Trust | None = None,
) -> FileRouting:
    """Writes a decision beside each prompt of a parquet, jsonl, json or csv file; other columns pass through.

    A prompt is a text, or messages as the service takes them, in the column `prompt`, else `messages`. Columns that are
    called as a decision's are renamed to input_NAME. A null or blank prompt is decided as one of which nothing is
    known, with the reason `empty`. One that no candidate can take (its window is too small, or its cost isn't known
    where the policy asks for it) gets none: its decision is null, with the reason `none eligible: WHY`.

    Raises:
        InputError: an unknown suffix, unreadable or too large input, no column of prompts, a column that the output's
            format has no form for, or a budget for prompts that need different capabilities.
        ValueError: an unknown policy or candidate, or a policy that can't be met, or that can't be met for any prompt.
        BundleError: the router isn't a whole, unchanged bundle, or nobody whom `trust` knows has signed it.
    """
    write = _writer(target)
    frame = read_rows(source)
    column = frame[prompt_column(source, frame)]
    _check_columns(source, frame, target)
    # a text that stands once in the file may stand in a million rows
    if column.dtype == pl.String and (size := int(column.str.len_bytes().sum())) > LARGEST:
        raise InputError(f"{source}: its prompts have {size} bytes, at most {LARGEST} are read: split it")
    policy, wanted = constrained(policy, wanted_of(among, exclude, requires, max_output_tokens))
    loaded = Router.load(router, trust=trust)
    prompts = prompts_of(column, loaded.conversation)
    empty_N = pl.Series(prompts.texts, dtype=pl.String).str.strip_chars() == ""
    decisions, nobody = _decide(source, loaded, prompts, loaded.policy(policy), wanted)
    reason = pl.when(empty_N & decisions["candidate"].is_not_null()).then(pl.lit(EMPTY)).otherwise("reason")
    names = _renamed(frame.columns, decisions.columns)
    decided = frame.rename(names).hstack(decisions.with_columns(reason=reason))
    write_whole(target, lambda aside: write(decided, aside))
    return FileRouting(prompts=frame.height, empty=int(empty_N.sum()), undecided=nobody, renamed=names)


def _decide(source: Path, router: Router, prompts: Prompts, policy: Policy, wanted: Wanted) -> tuple[pl.DataFrame, int]:
    """A decision a prompt, and how many have no candidate: of these the columns are null but for reason and policy."""
    read_N, all_N = lengths(prompts.texts)
    characters_N = all_N if prompts.characters is None else np.array(prompts.characters, dtype=np.int64)
    prediction = router.predict_encoded(*router.encode(prompts.texts), read_N, characters_N)
    groups: dict[tuple[str, ...], list[int]] = {}
    for row, needs in enumerate(prompts.requires or ()):
        groups.setdefault(needs, []).append(row)
    if set(groups) <= {()}:
        decisions, nobody = _choose(router, prediction, policy, wanted)
        return decisions.drop("row"), nobody
    if isinstance(policy, Budget) and len(groups) > 1:
        needed = ", ".join(sorted({need for needs in groups for need in needs}))
        raise InputError(f"{source}: a budget is one for all prompts, but only some need {needed}: split the file")
    found = []
    for needs, rows in groups.items():
        asked = replace(wanted, requires=tuple(sorted({*wanted.requires, *needs})))
        part, without = _choose(router, rows_of(prediction, np.array(rows)), policy, asked, own=bool(needs))
        found.append((part.with_columns(row=pl.Series(rows, dtype=pl.Int64).gather(part["row"])), without))
    joined = pl.concat([part for part, _ in found], how="diagonal_relaxed").sort("row")
    return joined.drop("row"), sum(without for _, without in found)


def _choose(
    router: Router, prediction: Prediction, policy: Policy, wanted: Wanted, *, own: bool = False
) -> tuple[pl.DataFrame, int]:
    """The same of prompts that want the same, with their `row`; `own`: it isn't what the whole file wants."""
    rows, part, reasons = np.arange(prediction.task_N.size), prediction, dict[int, str]()
    while True:
        try:
            routing = router.choose(part, policy, wanted)
            break
        except NoneEligible as none:
            if none.whatever_is_asked and not own:
                raise
            reasons |= {int(rows[row]): reason for row, reason in none.reasons.items()}
            kept = np.delete(np.arange(rows.size), list(none.reasons))
            rows, part = rows[kept], rows_of(part, kept)
    decisions = pl.DataFrame(routing.to_columns(), strict=False).with_columns(row=pl.Series(rows, dtype=pl.Int64))
    if not reasons:
        return decisions, 0
    without = {"row": list(reasons), "reason": [f"{NOBODY}: {reason}" for reason in reasons.values()]}
    nobody = pl.DataFrame(without).with_columns(policy=pl.lit(routing.policy))
    both = pl.concat([decisions, nobody], how="diagonal_relaxed").sort("row")
    return both.select(decisions.columns), len(reasons)


def _renamed(columns: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """What columns of the input are called instead of names that decisions need.

    >>> _renamed(["prompt", "task", "input_task"], ["task"])
    {'task': 'input_input_task'}
    """
    names: dict[str, str] = {}
    for name in columns:
        if name in taken:
            other = f"input_{name}"
            while other in columns or other in taken:
                other = f"input_{other}"
            names[name] = other
    return names


def _check_columns(source: Path, frame: pl.DataFrame, target: Path) -> None:
    """Refuses what the output's format has no form for, before a router is loaded and every prompt decided."""
    never = _FORMLESS.get(target.suffix, ())
    found = [f"{name} ({kind})" for name, kind in frame.schema.items() if any(one in never for one in _kinds(kind))]
    if found:
        raise InputError(f"{source}: {target.suffix[1:]} has no form for {', '.join(found)}: write parquet, or cast it")


def _kinds(kind: pl.DataType | DataTypeClass) -> Iterator[DataTypeClass]:
    """A column's type and those inside it."""
    yield kind.base_type()
    inner = [entry.dtype for entry in kind.fields] if isinstance(kind, pl.Struct) else [getattr(kind, "inner", None)]
    for one in inner:
        if one is not None:
            yield from _kinds(one)


def _writer(target: Path) -> Callable[[pl.DataFrame, Path], object]:
    _known_suffix(target)
    match target.suffix:
        case ".parquet":
            return pl.DataFrame.write_parquet
        case ".csv":
            return _write_csv
        case ".json":
            return pl.DataFrame.write_json
        case _:
            return pl.DataFrame.write_ndjson


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Lists and structs, which csv has no cells for, as JSON."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    # times and decimals inside them as polars writes them to JSON: as text
    texts = [
        pl.Series(name, [json.dumps(value, default=str) for value in frame[name].to_list()], pl.String)
        for name in nested
    ]
    frame.with_columns(texts).write_csv(path)


def _known_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: must end in one of {', '.join(SUFFIXES)}")

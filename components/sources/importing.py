"""An import from beginning to end: files in, tables out, and an account of every row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from components.sources.appending import CALLS_FILE, calls_before, given_way, has_tables, merged, put_away
from components.sources.assembly import (
    CALLS,
    call_frame,
    grade_table,
    one_a_call,
    outcome_table,
    prompt_table,
    repeated,
    response_table,
    unkept_responses,
)
from components.sources.call import NO_ANSWER, Call, ReadOptions, Unusable
from components.sources.files import listed
from components.sources.importers import SOURCES
from components.sources.prices import FITTED, fitted_candidates, layered, read_prices
from components.sources.tally import Tally, notes_on
from components.tables.conversation import read_conversation
from components.tables.errors import TableError
from components.tables.schema import CANDIDATES
from components.tables.store import (
    Tables,
    find_table,
    read_tables,
    table_files,
    write_parquet,
    write_tables,
)
from pointsman.text.conversation import DEFAULT, ConversationConfig

SET_ASIDE_FILE = "import_quarantine.parquet"
_FEW, _MOST_OUTSIDE = 3, 0.01
"""So many grades, or this share of them, may lie outside their scale before it must be another one."""


class ImportRefused(TableError):
    """A log that is no log of its format, or mostly unusable; the lines after the first are the account of its rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportConfig:
    """What is imported, and how."""

    source: str
    """Name of a log format."""
    paths: tuple[Path, ...]
    """Files, and folders of files."""
    data: Path
    """Folder of the tables."""
    append: bool = False
    """Add to the tables that are there; a call that was imported before counts once."""
    prices: Path | None = None
    """A table of prices, which goes before any other."""
    most_unusable: float = 0.5
    """Largest share of rows that may be set aside, in [0, 1]."""
    read: ReadOptions = field(default_factory=ReadOptions)
    conversation: ConversationConfig | None = None
    """Which turns make a prompt; None: as in the tables that are added to, else as usual."""

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"unknown log format '{self.source}'; known: {', '.join(sorted(SOURCES))}")
        if not self.paths:
            raise ValueError("give a file or a folder to import")
        if not 0 <= self.most_unusable <= 1:
            raise ValueError(f"most_unusable must be in [0, 1], got {self.most_unusable}")


def import_logs(config: ImportConfig) -> Tally:
    """Reads logs into the tables of a folder and tells what became of every row.

    Rows that can't be used are in `import_quarantine.parquet` with file, row and reason. Every call is in
    `calls.parquet` without its texts, so that the next import with `append` can go on with the means.

    Raises:
        TableError: an unreadable file; nothing is written then.
        ImportRefused: no usable row, or more unusable ones than allowed; nothing is written then.
    """
    config = _with_turns(config)
    source = SOURCES[config.source]
    files = listed(config.paths, source.suffixes)
    calls: list[Call] = []
    unusable: list[Unusable] = []
    for row in source.read(files, config.read):
        (calls if isinstance(row, Call) else unusable).append(row)  # type: ignore[arg-type]
    outside = tuple(row.outside for row in unusable if row.outside is not None)
    tally = Tally(
        files=len(files),
        read=len(calls) + len(unusable),
        reasons=Counter(row.reason for row in unusable),
        remarks=Counter(remark for call in calls for remark in call.remarks),
        first=tuple(unusable[:3]),
        outside=outside,
        span=_span(outside, calls, config.read.scale or (0.0, 1.0)) if outside else None,
    )
    if not calls:
        what = (
            f"no row can be used as {config.source}"
            if tally.read
            else f"there is no row of {config.source} in it; `pointsman import --list` says how each format looks"
        )
        raise ImportRefused(f"{_names(config.paths)}: {what}\n{tally.text()}")
    # a gateway that failed for a day, or a trace with more than chats in it, says nothing against its log
    passed = sum(tally.reasons[reason] for reason in NO_ANSWER)
    faulty, read = len(unusable) - passed, tally.read - passed
    if faulty > config.most_unusable * read:
        raise ImportRefused(
            f"{_names(config.paths)}: {faulty} of {read} rows can't be used, more than the share of "
            f"{config.most_unusable:g} (--most-unusable)\n{tally.text()}"
        )
    graded = len(tally.outside) + sum(call.quality is not None for call in calls)
    if len(tally.outside) > max(_FEW, _MOST_OUTSIDE * graded):
        # few are slips; more are another scale, whose 1 would be read as perfect
        raise ImportRefused(
            f"{_names(config.paths)}: {len(tally.outside)} of {graded} grades lie outside their scale\n{tally.text()}"
        )
    tables, every, notes = _tables(config, calls, files)
    if not config.append:
        notes += put_away(config.data)
    write_tables(tables, config.data, but=(*files, *_given(config)))
    write_parquet(every, config.data / CALLS_FILE)
    schema = {"file": pl.String(), "row": pl.Int64(), "reason": pl.String()}
    aside = pl.DataFrame([(one.file, one.row, one.detail) for one in unusable], schema=schema, orient="row")
    write_parquet(aside, config.data / SET_ASIDE_FILE)
    return replace(tally, notes=tuple(notes), **_counts(tables))


def _span(outside: Sequence[float], calls: Sequence[Call], scale: tuple[float, float]) -> tuple[float, float]:
    """The lowest and the highest of all grades, as the log writes them."""
    worst, best = scale
    inside = (grade for call in calls for grade in (call.quality, *(one.grade for one in call.grades)))
    written = [*outside, *(worst + grade * (best - worst) for grade in inside if grade is not None)]
    return min(written), max(written)


def _with_turns(config: ImportConfig) -> ImportConfig:
    """The config with the turns that make a prompt: of one folder they are the same in every import.

    Raises:
        TableError: others are asked for than the tables that are added to were made with.
    """
    there = read_conversation(config.data) if config.append and has_tables(config.data) else None
    if None not in (there, config.conversation) and there != config.conversation:
        raise TableError(
            f"{config.data}: its prompts were made with {there}: import without --append, or with the same"
        )
    return replace(config, read=replace(config.read, conversation=there or config.conversation or DEFAULT))


def _names(paths: Sequence[Path]) -> str:
    return str(paths[0]) if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"


def _counts(tables: Tables) -> dict[str, Any]:
    per_prompt = tables.outcomes.filter(pl.col("quality").is_not_null()).group_by("prompt_id").len()
    return {
        "prompts": tables.prompts.height,
        "candidates": tables.candidates.height,
        "models": tuple(tables.candidates["model"]),
        "outcomes": tables.outcomes.height,
        "graded": int(tables.outcomes["quality"].is_not_null().sum()),
        "compared": per_prompt.filter(pl.col("len") > 1).height,
        "grades": 0 if tables.grades is None else tables.grades.height,
    }


def _tables(
    config: ImportConfig, calls: Sequence[Call], files: Sequence[Path]
) -> tuple[Tables, pl.DataFrame, list[str]]:
    """The tables, all calls that they are made of, and what a person should know."""
    old = read_tables(config.data, but=_given(config)) if config.append and has_tables(config.data) else None
    known = {} if old is None else dict(old.prompts.select("prompt_id", "prompt").iter_rows())
    frame = call_frame(calls, config.read.rename, known)
    told = frame.select(pl.col(name).cast(kind) for name, kind in CALLS.items())
    before = told.clear() if old is None else calls_before(config.data)
    every = one_a_call(pl.concat([before, told]))
    tables = Tables(
        prompts=prompt_table(frame),
        candidates=pl.DataFrame(schema=CANDIDATES.dtypes),
        outcomes=outcome_table(every),
        grades=grade_table(frame, calls),
        responses=response_table(frame) if config.read.responses else None,
        conversation=config.read.conversation,
    )
    notes = repeated(every, told, before.height + told.height)
    if unkept := unkept_responses(frame, tables.responses):
        notes.append(f"{unkept} ungraded answers aren't kept: of several of a model to a prompt the last is")
    if old is not None:
        notes += given_way(old, tables, before)
        tables = merged(old, tables)
    models = sorted({*tables.outcomes["model"], *tables.candidates["model"]})
    fit, there = fitted_candidates(every), tables.candidates
    # a price that somebody gave in an earlier import goes before a fit, which goes before an earlier fit
    given = there.filter(~pl.col("price_note").fill_null("").str.starts_with(FITTED))
    layers = [given, fit, *_beside(config, models, files, notes), there]
    if config.prices is not None:
        layers.insert(0, read_prices(config.prices, models))
    tables = replace(tables, candidates=layered(models, layers))
    return tables, every, [*notes, *notes_on(tables)]


def _given(config: ImportConfig) -> tuple[Path, ...]:
    """A file of prices may have the name of a table and lie beside the tables: it stays there."""
    return () if config.prices is None else (config.prices,)


def _beside(
    config: ImportConfig, models: Sequence[str], files: Sequence[Path], notes: list[str]
) -> Iterator[pl.DataFrame]:
    """Tables of candidates that lie beside the logs; the one of an earlier import into the same folder is none.

    Args:
        config: of the import.
        models: whose prices are looked for.
        files: the logs.
        notes: what is passed over is added to them.
    """
    for folder in dict.fromkeys(path.parent for path in files):
        if folder.resolve() != config.data.resolve() and table_files(folder, CANDIDATES):
            path = find_table(folder, CANDIDATES)
            try:
                yield read_prices(path, models)
            except TableError as error:
                notes.append(f"prices beside the log are passed over: {error}")

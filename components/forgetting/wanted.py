"""Which prompts a person wants forgotten: by id, by conversation or by tenant, and the same texts under other ids."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from components.forgetting.columns import TEXTS, columns_of, plain_names
from components.forgetting.tabular import Unreadable, read_rows, tabular_files
from components.tables.likeness import text_digests
from pointsman.errors import InputError
from pointsman.text.conversation import prompt_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked to have forgotten; at least one of them."""

    prompt_ids: frozenset[str] = frozenset()
    conversations: frozenset[str] = frozenset()
    """Values of `conversation_id` in tables and of `session` in decision logs."""
    tenants: frozenset[str] = frozenset()
    """Values of `tenant` in decision logs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Everything that has to go, by each name that it goes by."""

    prompt_ids: frozenset[str]
    decision_ids: frozenset[str]
    texts: tuple[str, ...]
    """Distinct texts of the prompts; a prompt of which only a digest was kept has none."""

    @property
    def digests(self) -> frozenset[str]:
        """SHA-256 of the texts in each way in which this project takes it."""
        plain = {hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in self.texts}
        asked = {prompt_digest([text]) for text in self.texts}
        return frozenset(plain | asked | set(text_digests(pl.Series(list(self.texts), dtype=pl.String))))


def find_wanted(asked: Asked, folders: Iterable[Path]) -> Wanted:
    """Looks the prompts up in folders of tables and of decision logs.

    A decision and the outcome that was imported from it are one prompt. Rows of the same text under other ids go with
    it: nobody could tell afterwards whose they were.

    Raises:
        InputError: nothing of what was asked for is there, or a table is damaged.
    """
    rows, prompt_ids = _rows(folders), plain_names(asked.prompt_ids)
    own = rows.filter(
        pl.col("prompt_id").is_in(prompt_ids)
        | pl.col("conversation").is_in(plain_names(asked.conversations))
        | pl.col("tenant").is_in(plain_names(asked.tenants))
    )
    if own.is_empty():
        names = sorted(asked.prompt_ids | asked.conversations | asked.tenants)
        raise InputError(f"nothing is known of {', '.join(names)}: nothing was changed")
    own = _linked(rows, own)
    same = rows.join(own.select("text").drop_nulls().unique(), on="text", how="semi")
    whole = _linked(rows, pl.concat([own, same]))
    return Wanted(
        prompt_ids=frozenset(whole["prompt_id"].drop_nulls()) | prompt_ids,
        decision_ids=frozenset(whole["decision_id"].drop_nulls()),
        texts=tuple(sorted(set(whole["text"].drop_nulls()))),
    )


_COLUMNS = {
    "prompt_id": ("prompt_id",),
    "decision_id": ("decision_id",),
    "conversation": ("conversation_id", "session"),
    "tenant": ("tenant",),
    "text": TEXTS,
}


def _rows(folders: Iterable[Path]) -> pl.DataFrame:
    """Every row of every table that names a prompt or a decision, under common names."""
    found = [pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String))]
    for path in (path for folder in folders for path in tabular_files(folder)):
        try:
            frame = read_rows(path)
        except Unreadable:
            # whoever takes the rows out names it
            continue
        if columns_of(frame, "prompt_id", "decision_id"):
            found.append(pl.DataFrame([_named(frame, name, sources) for name, sources in _COLUMNS.items()]))
    return pl.concat(found).unique(maintain_order=True)


def _named(frame: pl.DataFrame, name: str, sources: tuple[str, ...]) -> pl.Series:
    there = [column.alias(str(number)) for number, column in enumerate(columns_of(frame, *sources))]
    if not there:
        return pl.Series(name, [None] * frame.height, dtype=pl.String)
    return pl.DataFrame(there).select(pl.coalesce(pl.all())).to_series().alias(name)


def _linked(rows: pl.DataFrame, own: pl.DataFrame) -> pl.DataFrame:
    """The rows with those of the same prompt_id or decision_id, over outcomes that name both."""
    for _ in range(2):
        ids = [own.select(name).drop_nulls().unique() for name in ("prompt_id", "decision_id")]
        own = pl.concat(
            [rows.join(known, on=known.columns, how="semi") for known in ids if known.height] + [own]
        ).unique(maintain_order=True)
    return own

"""Tables of a new import and those of earlier ones in its folder: rows are added to them, or they are put away."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from components.sources.assembly import CALLS
from components.tables.schema import GRADES, OPTIONAL_SCHEMAS, OUTCOMES, RESPONSES, SCHEMAS
from components.tables.store import Tables, table_files

CALLS_FILE = "calls.parquet"


def has_tables(folder: Path) -> bool:
    """Whether a folder has each table that a retrain needs."""
    return all(table_files(folder, schema) for schema in SCHEMAS)


def calls_before(folder: Path) -> pl.DataFrame:
    """The calls of earlier imports; none of tables that were made by hand."""
    path = folder / CALLS_FILE
    before = pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=CALLS)
    return before.select(pl.col(name).cast(kind) for name, kind in CALLS.items())


def merged(old: Tables, new: Tables) -> Tables:
    """New rows beside the old ones; grades that were put in meanwhile stay.

    Args:
        old: the tables that are there.
        new: those of an import, whose outcomes are means over all calls, and whose candidates don't count.
    """
    key = ["prompt_id", "model"]
    graded = old.outcomes.select(*key, was=pl.col("quality"), by=pl.col("graded_by"))
    outcomes = (
        new.outcomes.join(graded, on=key, how="left", maintain_order="left")
        .with_columns(
            graded_by=pl.when(pl.col("quality").is_null()).then("by").otherwise("graded_by"),
            quality=pl.coalesce("quality", "was"),
        )
        .drop("was", "by")
    )
    both = Tables(
        prompts=_added(old.prompts, new.prompts, ["prompt_id"]),
        candidates=old.candidates,
        outcomes=_added(outcomes, old.outcomes, key),
        conversation=new.conversation,
    )
    for schema in OPTIONAL_SCHEMAS:
        parts = [part for part in (getattr(new, schema.name), getattr(old, schema.name)) if part is not None]
        if parts:
            both = both.having(schema, _added(parts[0], parts[-1], list(schema.key)))
    return both


def given_way(old: Tables, new: Tables, before: pl.DataFrame) -> Iterator[str]:
    """Rows of the tables that are added to whose place others take, counted.

    Args:
        old: the tables that are added to.
        new: what is added; its outcomes are of all calls.
        before: calls of earlier imports.
    """
    key = list(OUTCOMES.key)
    others = old.outcomes.join(before, on=key, how="anti").join(new.outcomes, on=key, how="semi")
    if others.height:
        yield (
            f"{others.height} outcomes that were put in otherwise gave way to calls of the log; "
            "their grades stay where the log has none"
        )
    for schema, value in ((GRADES, "grade"), (RESPONSES, "response")):
        was, now = getattr(old, schema.name), getattr(new, schema.name)
        if was is not None and now is not None:
            both = was.join(now, on=schema.key, suffix="_now")
            changed = int((both[value] != both[f"{value}_now"]).sum())
            if changed:
                yield f"{changed} {schema.name} of before gave way to those of the log"


def _added(first: pl.DataFrame, second: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """All rows of the first table, and those of the second whose key it lacks."""
    return pl.concat([first, second.join(first, on=key, how="anti", maintain_order="left")])


def put_away(folder: Path) -> list[str]:
    """Renames tables that a new import replaces, but doesn't write itself: they speak of other prompts.

    Returns:
        What a person should know.
    """
    if not folder.is_dir():
        return []
    notes = []
    if has_tables(folder):
        notes.append("replaced the tables that were there (--append adds to them)")
    for schema in OPTIONAL_SCHEMAS:
        for stem in schema.stems:
            for path in folder.glob(f"{stem}.*"):
                if path.suffix in (".parquet", ".jsonl", ".json"):
                    path.rename(path.with_name(f"{path.name}.replaced"))
                    notes.append(f"{path.name} of before is now {path.name}.replaced")
    return notes

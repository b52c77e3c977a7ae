"""Tables of a new import and those of earlier ones in its folder: rows are added to them, or they are put away."""

from pathlib import Path

import polars as pl

from components.sources.assembly import CALLS, one_a_call, outcome_table
from components.tables.schema import OPTIONAL_SCHEMAS, SCHEMAS
from components.tables.store import Tables, table_files

CALLS_FILE = "calls.parquet"


def has_tables(folder: Path) -> bool:
    """Whether a folder has each table that a retrain needs."""
    return all(table_files(folder, schema) for schema in SCHEMAS)


def merged(old: Tables, new: Tables, calls: pl.DataFrame, folder: Path) -> tuple[Tables, pl.DataFrame]:
    """New rows beside the old ones; outcomes are means over all calls, grades that were put in meanwhile stay.

    Args:
        old: the tables that are there.
        new: those of an import, whose candidates don't count.
        calls: that `new` is made of.
        folder: of the old tables, with the calls of earlier imports.

    Returns:
        The tables, and all calls; a call that is in both counts once.
    """
    path = folder / CALLS_FILE
    if path.is_file():
        before = pl.read_parquet(path).select(pl.col(name).cast(kind) for name, kind in CALLS.items())
        calls = one_a_call(pl.concat([before, calls]))
    key = ["prompt_id", "model"]
    graded = old.outcomes.select(*key, was=pl.col("quality"), by=pl.col("graded_by"))
    outcomes = (
        outcome_table(calls)
        .join(graded, on=key, how="left", maintain_order="left")
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
    return both, calls


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

"""Candidates that are no longer offered."""

from dataclasses import replace

import polars as pl

from components.tables.store import Tables


def without_retired(tables: Tables) -> tuple[Tables, tuple[str, ...]]:
    """The tables without retired candidates and their outcomes, and the names of those: none is chosen again."""
    gone = tables.candidates.filter(pl.col("retired").fill_null(False))["model"].to_list()
    if not gone:
        return tables, ()
    kept = ~pl.col("model").is_in(gone)
    rest = replace(tables, candidates=tables.candidates.filter(kept), outcomes=tables.outcomes.filter(kept))
    return rest, tuple(gone)

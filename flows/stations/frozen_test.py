"""The frozen test split: a prompt that was once in test stays there, so that champions and challengers meet on it."""

import polars as pl

from components.tables.store import write_parquet
from flows.platform import paths
from flows.platform.references import DataRef, reference


def frozen_test() -> DataRef | None:
    """Ids of all prompts that were ever in a test split; None before the first run."""
    folder = paths.frozen()
    return reference(folder) if (folder / "frozen_test.parquet").exists() else None


def freeze(splits: DataRef) -> None:
    """Adds a run's test prompts to the frozen ones."""
    path = paths.frozen() / "frozen_test.parquet"
    test = pl.read_parquet(splits.file("splits.parquet")).filter(pl.col("split") == "test").select("prompt_id")
    known = pl.read_parquet(path) if path.exists() else test.clear()
    grown = pl.concat([known, test]).unique(maintain_order=True)
    if grown.height > known.height:
        write_parquet(grown.sort("prompt_id"), path)

"""The frozen test split: a prompt that was once in test stays there, so that champions and challengers meet on it.

Prompts are known again by their normalised text, not by their id: logs are exported anew, and ids with them.
"""

from pathlib import Path

import polars as pl

from components.tables.likeness import text_digests
from components.tables.store import read_tables, write_parquet
from flows.platform import paths
from flows.platform.references import DataRef, reference

_FILE = "frozen_test.parquet"
_SCHEMA = {"prompt_id": pl.String, "text": pl.String, "split": pl.String}


def frozen_test() -> DataRef | None:
    """Digests of all prompts that were ever split, and in which; None before the first run."""
    folder = paths.frozen()
    return reference(folder) if (folder / _FILE).exists() else None


def split_before(frozen: DataRef | None) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the prompts that were in test, and of those that routers learnt from."""
    if frozen is None:
        return frozenset(), frozenset()
    known = _read(frozen.file(_FILE))
    test = known.filter(pl.col("split") == "test")
    # the ids of files from before there were digests
    names = frozenset(test["text"].drop_nulls()) | frozenset(test.filter(pl.col("text").is_null())["prompt_id"])
    return names, frozenset(known.filter(pl.col("split") != "test")["text"].drop_nulls()) - names


def freeze(*, tables: DataRef, splits: DataRef) -> None:
    """Adds a run's prompts to those that are known; who was in test stays there."""
    path = paths.frozen() / _FILE
    read = read_tables(tables.path).prompts
    prompts = read.select("prompt_id").with_columns(text_digests(read["prompt"]))
    divided = pl.read_parquet(splits.file("splits.parquet")).select("prompt_id", "split")
    fresh = divided.join(prompts, on="prompt_id", how="left").select(*_SCHEMA)
    known = _read(path) if path.exists() else fresh.clear()
    # a text counts once, as test where it was ever there; validation counts as learnt
    grown = (
        pl.concat([known, fresh])
        .with_columns(split=pl.when(pl.col("split") == "test").then(pl.lit("test")).otherwise(pl.lit("learnt")))
        .sort(pl.col("split") != "test", maintain_order=True)
        .unique([pl.coalesce("text", "prompt_id")], keep="first", maintain_order=True)
        .sort("split", "prompt_id", "text")
    )
    if not grown.equals(known):
        write_parquet(grown, path)


def shrunk_test(tables: DataRef) -> list[str]:
    """A line where some prompts of the frozen test are gone from these logs; where all are, the logs are others."""
    held, _ = split_before(frozen_test())
    prompts = read_tables(tables.path).prompts
    here = held & {*text_digests(prompts["prompt"]), *prompts["prompt_id"]}
    if not 0 < len(here) < len(held):
        return []
    return [
        f"of the {len(held):,} prompts that earlier runs kept for the test, {len(here):,} are still in these logs; new "
        "prompts take the others' places"
    ]


def _read(path: Path) -> pl.DataFrame:
    known = pl.read_parquet(path)
    missing = [name for name in _SCHEMA if name not in known.columns]
    values = {"text": pl.lit(None, pl.String), "split": pl.lit("test")}
    return known.with_columns(**{name: values[name] for name in missing}).select(*_SCHEMA)

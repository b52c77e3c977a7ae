"""Routing whole files: prompts in, decisions out."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pointsman.durable import write_whole
from pointsman.errors import InputError
from pointsman.router import Router


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
) -> int:
    """Writes a decision beside each prompt of a parquet or jsonl file; other columns pass through.

    Returns:
        How many prompts were routed.

    Raises:
        InputError: unreadable input, no column 'prompt', or a prompt that is null or blank.
        ValueError: an unknown policy or candidate, or a policy that can't be met.
        BundleError: the router isn't a whole, unchanged bundle.
    """
    frame = _read(source)
    if "prompt" not in frame.columns or frame.schema["prompt"] != pl.String:
        raise InputError(f"{source}: needs a text column 'prompt', found {dict(frame.schema)}")
    blank = frame.select((pl.col("prompt").fill_null("").str.strip_chars() == "").arg_true())["prompt"]
    if len(blank):
        raise InputError(f"{source}: prompt is empty in {len(blank)} row(s), first {blank.head(5).to_list()}")
    routing = Router.load(router).route(
        frame["prompt"].to_list(),
        policy,
        among,
        exclude=exclude,
        requires=requires,
        max_output_tokens=max_output_tokens,
    )
    decided = frame.drop(routing.columns(), strict=False).hstack(pl.DataFrame(routing.to_columns(), strict=False))
    write_whole(target, decided.write_ndjson if target.suffix == ".jsonl" else decided.write_parquet)
    return frame.height


def _read(source: Path) -> pl.DataFrame:
    try:
        if source.suffix == ".jsonl":
            return pl.read_ndjson(source, infer_schema_length=None)
        return pl.read_parquet(source)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{source}: can't be read: {error}") from error

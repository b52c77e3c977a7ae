"""Routing whole files: prompts in, decisions out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pointsman.durable import write_whole
from pointsman.errors import InputError
from pointsman.router import Router

SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv")
EMPTY = "empty"
"""Reason of a decision on a prompt without text: the policy's choice for a prompt that nothing is known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRouting:
    """What became of a file."""

    prompts: int
    """Rows, each with a decision."""
    empty: int
    """Of these, rows whose prompt is null or blank."""


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
) -> FileRouting:
    """Writes a decision beside each prompt of a parquet, jsonl, json or csv file; other columns pass through.

    A null or blank prompt is decided as one of which nothing is known, with the reason `empty`.

    Raises:
        InputError: an unknown suffix, unreadable input, or no column 'prompt'.
        ValueError: an unknown policy or candidate, or a policy that can't be met.
        BundleError: the router isn't a whole, unchanged bundle.
    """
    write = _writer(target)
    frame = _read(source)
    if "prompt" not in frame.columns or frame.schema["prompt"] not in (pl.String, pl.Null):
        found = ", ".join(f"{name} ({kind})" for name, kind in frame.schema.items()) or "none"
        raise InputError(f"{source}: needs a text column 'prompt'; its columns: {found}")
    prompts = frame["prompt"].cast(pl.String).fill_null("")
    empty_N = prompts.str.strip_chars() == ""
    routing = Router.load(router).route(
        prompts.to_list(),
        policy,
        among,
        exclude=exclude,
        requires=requires,
        max_output_tokens=max_output_tokens,
    )
    decided = frame.drop(routing.columns(), strict=False).hstack(pl.DataFrame(routing.to_columns(), strict=False))
    reason = pl.when(empty_N).then(pl.lit(EMPTY)).otherwise(pl.col("reason"))
    write_whole(target, lambda aside: write(decided.with_columns(reason=reason), aside))
    return FileRouting(prompts=frame.height, empty=int(empty_N.sum()))


def _read(source: Path) -> pl.DataFrame:
    _known_suffix(source)
    try:
        match source.suffix:
            case ".parquet":
                return pl.read_parquet(source)
            case ".csv":
                # a cell is a text: "017" stays what it is
                return pl.read_csv(source, infer_schema=False)
            case ".json":
                return pl.read_json(source, infer_schema_length=None)
            case _:
                return pl.read_ndjson(source, infer_schema_length=None)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{source}: can't be read as {source.suffix[1:]}: {error}") from error


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
    texts = [pl.Series(name, [json.dumps(value) for value in frame[name].to_list()], pl.String) for name in nested]
    frame.with_columns(texts).write_csv(path)


def _known_suffix(path: Path) -> None:
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path}: must end in one of {', '.join(SUFFIXES)}")

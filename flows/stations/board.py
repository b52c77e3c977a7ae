"""The board of a run: laid out once from the stage outputs, and read by every later station."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.grading.stand_ins import stand_ins_of
from components.learning.evidence import with_inclusion
from components.tables.board import Board, load_board, save_board, to_board, without_untried
from components.tables.store import read_tables
from flows.platform.arrays import load_named
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep


@cached_task(name="split: board")
def lay_out_board(*, tables: DataRef, embedded: DataRef, splits: DataRef, features: DataRef, seed: int) -> DataRef:
    """Everything that is known before training, rows in the order of the prompts table."""
    frames = read_tables(tables.path)
    arrays = load_named(features.file("features.npz"))
    placed = read_splits(splits, frames.prompts["prompt_id"])
    whole = replace(
        to_board(frames),
        split_N=placed["split"].to_numpy().astype(np.str_),
        group_N=placed["group"].to_numpy() if "group" in placed.columns else np.array(-1, dtype=np.int32),
        embedding_ND=np.load(embedded.file("embedding.npy")),
        features_NF=arrays["features_NF"],
        input_tokens_N=arrays["input_tokens_N"].astype(np.float64),
    )
    if (found := stand_ins_of(frames, seed, whole.group_N)) is not None:
        whole = replace(whole, corrected_NM=found.grade_NM)
    board, excluded = without_untried(whole, whole.rows("train"))
    laid = with_inclusion(board, seed)

    def write(folder: Path) -> None:
        save_board(laid, folder)
        (folder / "excluded.json").write_text(json.dumps(excluded))

    return keep("board", write)


def read_board(laid_out: DataRef) -> Board:
    """The board of one run, mapped."""
    return load_board(laid_out.path)


def excluded_candidates(laid_out: DataRef) -> tuple[str, ...]:
    """Candidates of the tables that the board lacks: without training outcomes nothing can be said of them."""
    return tuple(json.loads(laid_out.file("excluded.json").read_text()))


def read_prompts(tables: DataRef) -> list[str]:
    """The prompts' texts, rows as the board's."""
    return read_tables(tables.path).prompts["prompt"].to_list()


def split_names(splits: DataRef, prompt_ids: pl.Series) -> NDArray[np.str_]:
    """The split of each prompt, in the order of the ids."""
    return read_splits(splits, prompt_ids)["split"].to_numpy().astype(np.str_)


def read_splits(splits: DataRef, prompt_ids: pl.Series) -> pl.DataFrame:
    """Split and group of each prompt, in the order of the ids."""
    table = pl.read_parquet(splits.file("splits.parquet"))
    return pl.DataFrame({"prompt_id": prompt_ids}).join(table, on="prompt_id", how="left", maintain_order="left")

"""The stage outputs as arrays again, rows in the order of the prompts table."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel

from components.baselines.protocol import TrainingSet
from components.learning.fit import Observations
from components.tables.matrices import RoutingMatrices, to_matrices, without_untried
from components.tables.store import read_tables
from flows.platform.arrays import load_named
from flows.platform.references import DataRef


class BoardRef(BaseModel, frozen=True):
    """The stage outputs that a board is read from."""

    tables: DataRef
    embedded: DataRef
    splits: DataRef
    features: DataRef


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """Everything that is known of N prompts before training."""

    matrices: RoutingMatrices
    excluded: tuple[str, ...]
    """Candidates of the tables that the matrices lack: without training outcomes nothing can be said of them."""
    prompts: list[str]
    embedding_ND: NDArray[np.float32]
    features_NF: NDArray[np.float32]
    input_tokens_N: NDArray[np.float64]
    split_N: NDArray[np.str_]

    def rows(self, *splits: str) -> NDArray[np.intp]:
        """Rows of one or more splits, ascending."""
        return np.flatnonzero(np.isin(self.split_N, splits))

    def training_set(self, *splits: str) -> TrainingSet:
        """What a method may learn from in these splits."""
        rows = self.rows(*splits)
        part = self.matrices.take(rows)
        return TrainingSet(
            features_NF=self.features_NF[rows],
            quality_NM=part.quality_NM,
            cost_usd_NM=part.cost_usd_NM,
            benchmark_N=part.benchmark_N,
        )

    def observations_of(self, rows: NDArray[np.intp], task_N: NDArray[np.int32]) -> Observations:
        """What was seen of some prompts; `task_N` covers all."""
        part = self.matrices.take(rows)
        return Observations(
            features_NF=self.features_NF[rows],
            embedding_ND=self.embedding_ND[rows],
            quality_NM=part.quality_NM,
            output_tokens_NM=part.output_tokens_NM,
            cost_usd_NM=part.cost_usd_NM,
            input_tokens_N=self.input_tokens_N[rows],
            task_N=task_N[rows],
        )


def read_board(ref: BoardRef) -> Board:
    """The board of one run, from its stage outputs."""
    frames = read_tables(ref.tables.path)
    arrays = load_named(ref.features.file("features.npz"))
    split_N = read_splits(ref.splits, frames.prompts["prompt_id"])
    matrices, excluded = without_untried(to_matrices(frames), np.flatnonzero(split_N == "train"))
    return Board(
        matrices=matrices,
        excluded=excluded,
        prompts=frames.prompts["prompt"].to_list(),
        embedding_ND=np.load(ref.embedded.file("embedding.npy")),
        features_NF=arrays["features_NF"],
        input_tokens_N=arrays["input_tokens_N"].astype(np.float64),
        split_N=split_N,
    )


def read_splits(splits: DataRef, prompt_ids: pl.Series) -> NDArray[np.str_]:
    """The split of each prompt, in the order of the ids."""
    table = pl.read_parquet(splits.file("splits.parquet")).select("prompt_id", "split")
    ordered = pl.DataFrame({"prompt_id": prompt_ids}).join(table, on="prompt_id", how="left", maintain_order="left")
    return ordered["split"].to_numpy().astype(np.str_)

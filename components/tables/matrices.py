"""The tables as dense arrays. Shapes: N prompts, M candidates."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.store import Tables


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RoutingMatrices:
    """Outcomes of N prompts on M candidates; what wasn't observed is nan, never 0."""

    prompt_ids: tuple[str, ...]
    models: tuple[str, ...]
    quality_NM: NDArray[np.float64]
    """Quality in [0, 1]; nan where not observed."""
    cost_usd_NM: NDArray[np.float64]
    """USD per call >= 0; nan where unknown."""
    output_tokens_NM: NDArray[np.float64]
    """Output tokens >= 0; nan where unknown."""
    observed_NM: NDArray[np.bool_]
    benchmark_N: NDArray[np.str_]
    """The logs' own label of each prompt; empty: none."""
    input_usd_per_mtok_M: NDArray[np.float64]
    """USD per million tokens >= 0; nan where unknown."""
    output_usd_per_mtok_M: NDArray[np.float64]

    def take(self, rows_K: NDArray[np.intp]) -> "RoutingMatrices":
        """The same candidates on a choice of prompts, in its order."""
        return RoutingMatrices(
            prompt_ids=tuple(self.prompt_ids[row] for row in rows_K),
            models=self.models,
            quality_NM=self.quality_NM[rows_K],
            cost_usd_NM=self.cost_usd_NM[rows_K],
            output_tokens_NM=self.output_tokens_NM[rows_K],
            observed_NM=self.observed_NM[rows_K],
            benchmark_N=self.benchmark_N[rows_K],
            input_usd_per_mtok_M=self.input_usd_per_mtok_M,
            output_usd_per_mtok_M=self.output_usd_per_mtok_M,
        )

    def keep(self, columns_C: NDArray[np.intp]) -> "RoutingMatrices":
        """The same prompts with a choice of candidates, in its order."""
        return RoutingMatrices(
            prompt_ids=self.prompt_ids,
            models=tuple(self.models[column] for column in columns_C),
            quality_NM=self.quality_NM[:, columns_C],
            cost_usd_NM=self.cost_usd_NM[:, columns_C],
            output_tokens_NM=self.output_tokens_NM[:, columns_C],
            observed_NM=self.observed_NM[:, columns_C],
            benchmark_N=self.benchmark_N,
            input_usd_per_mtok_M=self.input_usd_per_mtok_M[columns_C],
            output_usd_per_mtok_M=self.output_usd_per_mtok_M[columns_C],
        )


def without_untried(matrices: RoutingMatrices, rows_K: NDArray[np.intp]) -> tuple[RoutingMatrices, tuple[str, ...]]:
    """Only the candidates with an outcome on some of the rows, and the names of those left out.

    Nothing can be learnt of a candidate without training outcomes, and a router that guessed would be judged on it.

    Raises:
        ValueError: no candidate has an outcome there.
    """
    tried_M = np.asarray(matrices.observed_NM[rows_K].any(axis=0))
    if not tried_M.any():
        raise ValueError(f"no candidate has an outcome on the {rows_K.size} training prompts")
    excluded = tuple(model for model, tried in zip(matrices.models, tried_M, strict=True) if not tried)
    return (matrices.keep(np.flatnonzero(tried_M)) if excluded else matrices), excluded


def to_matrices(tables: Tables) -> RoutingMatrices:
    """Dense arrays of valid tables: rows in the order of `prompts`, columns in the order of `candidates`.

    Raises:
        ValueError: an outcome names a prompt or candidate that isn't in its table.
    """
    prompts = tables.prompts.select("prompt_id", "benchmark").with_row_index("row")
    models = tables.candidates.select("model").with_row_index("column")
    cells = tables.outcomes.join(prompts, on="prompt_id", how="left").join(models, on="model", how="left")
    unknown = cells.filter(pl.col("row").is_null() | pl.col("column").is_null())
    if unknown.height:
        raise ValueError(f"outcome of unknown prompt or model: {unknown.select('prompt_id', 'model').row(0)}")
    rows, columns = cells["row"].to_numpy(), cells["column"].to_numpy()

    def dense(name: str) -> NDArray[np.float64]:
        values_NM = np.full((prompts.height, models.height), np.nan)
        values_NM[rows, columns] = cells[name].cast(pl.Float64).to_numpy()
        return values_NM

    quality_NM = dense("quality")
    return RoutingMatrices(
        prompt_ids=tuple(prompts["prompt_id"]),
        models=tuple(models["model"]),
        quality_NM=quality_NM,
        cost_usd_NM=dense("cost_usd"),
        output_tokens_NM=dense("output_tokens"),
        observed_NM=~np.isnan(quality_NM),
        benchmark_N=prompts["benchmark"].fill_null("").to_numpy().astype(np.str_),
        input_usd_per_mtok_M=tables.candidates["input_usd_per_mtok"].fill_null(np.nan).to_numpy(),
        output_usd_per_mtok_M=tables.candidates["output_usd_per_mtok"].fill_null(np.nan).to_numpy(),
    )


def dates(prompts: pl.DataFrame) -> NDArray[np.datetime64]:
    """Day of each prompt, shape (N,); not a time where unknown.

    >>> import datetime
    >>> dates(pl.DataFrame({"created_at": [datetime.datetime(2026, 1, 2, 23), None]}))
    array(['2026-01-02',        'NaT'], dtype='datetime64[D]')
    """
    if "created_at" not in prompts.columns:
        return np.full(prompts.height, np.datetime64("NaT", "D"))
    return np.asarray(prompts["created_at"].cast(pl.Date).to_numpy(), dtype="datetime64[D]")

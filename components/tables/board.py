"""The one container of N prompts x M candidates: built once from the tables, saved as arrays, mapped where it's read.

Each array's name ends in the letters of its shape: N prompts, M candidates, F features, D embedding. They decide what
`take` and `keep` cut and what an array that isn't given is filled with, so that another column of the outcomes table
needs its line in the schema, its line here, and what uses it.
"""

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.store import Tables

Floats = NDArray[np.float64]


def _unknown() -> Floats:
    return np.array(np.nan)


def _empty() -> NDArray[np.str_]:
    return np.array("")


def _never() -> NDArray[np.datetime64]:
    return np.array("NaT", dtype="datetime64[D]")


def _none() -> NDArray[np.int32]:
    return np.array(-1, dtype=np.int32)


def _zero() -> NDArray[np.float32]:
    return np.array(0, dtype=np.float32)


def _answered() -> NDArray[np.bool_]:
    return np.array(False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """Everything that is known of N prompts and M candidates; what wasn't observed is nan, never 0.

    A single value stands for a whole array; arrays that aren't given hold what isn't known. F and D are 0 before
    prompts are embedded.

    >>> board = Board(quality_NM=np.array([[1.0, np.nan]]))
    >>> board.cost_usd_NM.tolist(), board.task_N.tolist(), board.features_NF.shape
    ([[nan, nan]], [-1], (1, 0))
    """

    quality_NM: Floats
    """In [0, 1]; nan where not observed or not graded."""
    answered_NM: NDArray[np.bool_] = field(default_factory=_answered)
    """Whether there is an outcome at all, graded or not."""
    propensity_NM: Floats = field(default_factory=_unknown)
    """Probability with which the logging policy chose what it chose, in (0, 1]; nan where not logged."""
    inclusion_NM: Floats = field(default_factory=_unknown)
    """Probability that a cell's quality is observed, in [0, 1], logged or estimated; nan: not worked out yet."""
    corrected_NM: Floats = field(default_factory=_unknown)
    """What choices are judged by in place of a judge's grade (`grading.stand_ins`); may leave [0, 1]; nan: quality."""
    cost_usd_NM: Floats = field(default_factory=_unknown)
    """USD per call, >= 0."""
    input_tokens_NM: Floats = field(default_factory=_unknown)
    output_tokens_NM: Floats = field(default_factory=_unknown)
    latency_ms_NM: Floats = field(default_factory=_unknown)
    prompt_id_N: NDArray[np.str_] = field(default_factory=_empty)
    benchmark_N: NDArray[np.str_] = field(default_factory=_empty)
    """The logs' own label of each prompt; empty: none."""
    date_N: NDArray[np.datetime64] = field(default_factory=_never)
    """Day of each prompt."""
    group_N: NDArray[np.int32] = field(default_factory=_none)
    """Near-duplicates and turns of one conversation share a group."""
    split_N: NDArray[np.str_] = field(default_factory=_empty)
    task_N: NDArray[np.int32] = field(default_factory=_none)
    """Discovered or assigned task, -1: none."""
    input_tokens_N: Floats = field(default_factory=_unknown)
    """Of the prompt as the encoder reads it."""
    embedding_ND: NDArray[np.float32] = field(default_factory=_zero)
    """Unit rows."""
    features_NF: NDArray[np.float32] = field(default_factory=_zero)
    model_M: NDArray[np.str_] = field(default_factory=_empty)
    input_usd_per_mtok_M: Floats = field(default_factory=_unknown)
    output_usd_per_mtok_M: Floats = field(default_factory=_unknown)

    def __post_init__(self) -> None:
        if self.quality_NM.ndim != 2:
            raise ValueError(f"quality_NM must have shape (N, M), got {self.quality_NM.shape}")
        size = dict(zip("NM", self.quality_NM.shape, strict=True))
        for one in fields(self):
            value, letters = getattr(self, one.name), shape_letters(one.name)
            if value.ndim == 0:
                value = np.full([size.get(letter, 0) for letter in letters], value)
                object.__setattr__(self, one.name, value)
            widths = zip(letters, value.shape, strict=False)
            expected = tuple(size.setdefault(letter, width) for letter, width in widths)
            if value.shape != expected or value.ndim != len(letters):
                raise ValueError(f"{one.name} has shape {value.shape}, want {expected} beside {self.quality_NM.shape}")
        if not self.answered_NM.any():
            object.__setattr__(self, "answered_NM", self.observed_NM)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the candidates."""
        return tuple(self.model_M.tolist())

    @property
    def prompt_ids(self) -> tuple[str, ...]:
        """Ids of the prompts."""
        return tuple(self.prompt_id_N.tolist())

    @property
    def observed_NM(self) -> NDArray[np.bool_]:
        """Where quality was observed."""
        return np.isfinite(self.quality_NM)

    @property
    def worth_NM(self) -> Floats:
        """What choices are judged by: quality, but for a judge's grades that better ones correct; nan as quality is."""
        return np.where(np.isnan(self.corrected_NM) | np.isnan(self.quality_NM), self.quality_NM, self.corrected_NM)

    def rows(self, *splits: str) -> NDArray[np.intp]:
        """Rows of one or more splits, ascending."""
        return np.flatnonzero(np.isin(self.split_N, splits))

    def take(self, rows_K: NDArray[np.intp]) -> "Board":
        """The same candidates on a choice of prompts, in its order."""
        return self._cut("N", rows_K)

    def keep(self, columns_C: NDArray[np.intp]) -> "Board":
        """The same prompts with a choice of candidates, in its order."""
        return self._cut("M", columns_C)

    def without_embedding(self) -> "Board":
        """The same for what reads features alone: of a million prompts embeddings are the largest array beside them."""
        return replace(self, embedding_ND=_zero())

    def _cut(self, letter: str, index: NDArray[np.intp]) -> "Board":
        names = (one.name for one in fields(self))
        axes = {name: shape_letters(name).find(letter) for name in names}
        cut = {name: np.take(getattr(self, name), index, axis) for name, axis in axes.items() if axis >= 0}
        return replace(self, **cut)


def shape_letters(name: str) -> str:
    """The letters of an array's shape.

    >>> shape_letters("cost_usd_NM")
    'NM'
    """
    return name.rpartition("_")[2]


def to_board(tables: Tables) -> Board:
    """The board of valid tables: rows in the order of `prompts`, columns in the order of `candidates`.

    Raises:
        ValueError: an outcome names a prompt or candidate that isn't in its table.
    """
    prompts = tables.prompts.with_row_index("row")
    models = tables.candidates.select("model").with_row_index("column")
    cells = tables.outcomes.join(prompts.select("prompt_id", "row"), on="prompt_id", how="left")
    cells = cells.join(models, on="model", how="left")
    unknown = cells.filter(pl.col("row").is_null() | pl.col("column").is_null())
    if unknown.height:
        raise ValueError(f"outcome of unknown prompt or model: {unknown.select('prompt_id', 'model').row(0)}")
    place = cells["row"].to_numpy(), cells["column"].to_numpy()
    shape = prompts.height, models.height
    dense: dict[str, Any] = {}
    for name in (one.name for one in fields(Board) if shape_letters(one.name) == "NM"):
        if (column := name.removesuffix("_NM")) in cells.columns:
            dense[name] = np.full(shape, np.nan)
            dense[name][place] = cells[column].cast(pl.Float64).to_numpy()
    answered_NM = np.zeros(shape, dtype=bool)
    answered_NM[place] = True
    prices = {
        f"{price}_M": tables.candidates[price].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for price in ("input_usd_per_mtok", "output_usd_per_mtok")
    }
    return Board(
        **dense,
        **prices,
        answered_NM=answered_NM,
        prompt_id_N=_texts(prompts["prompt_id"]),
        model_M=_texts(tables.candidates["model"]),
        benchmark_N=_texts(prompts["benchmark"]),
        date_N=dates(tables.prompts),
    )


def dates(prompts: pl.DataFrame) -> NDArray[np.datetime64]:
    """Day of each prompt, shape (N,); not a time where unknown.

    >>> import datetime
    >>> dates(pl.DataFrame({"created_on": [datetime.date(2026, 1, 2), None]}))
    array(['2026-01-02',        'NaT'], dtype='datetime64[D]')
    """
    named = [name for name in ("created_at", "created_on") if name in prompts.columns]
    if not named:
        return np.full(prompts.height, np.datetime64("NaT", "D"))
    return np.asarray(prompts[named[0]].cast(pl.Date).to_numpy(), dtype="datetime64[D]")


def without_untried(board: Board, rows_K: NDArray[np.intp]) -> tuple[Board, tuple[str, ...]]:
    """Only the candidates with a quality on some of the rows, and the names of those left out.

    Nothing can be learnt of a candidate without training outcomes, and a router that guessed would be judged on it.

    Raises:
        ValueError: no candidate has an outcome there.
    """
    tried_M = np.asarray(board.observed_NM[rows_K].any(axis=0))
    if not tried_M.any():
        raise ValueError(f"no candidate has an outcome on the {rows_K.size} training prompts")
    excluded = tuple(model for model, tried in zip(board.models, tried_M, strict=True) if not tried)
    return (board.keep(np.flatnonzero(tried_M)) if excluded else board), excluded


def save_board(board: Board, folder: Path) -> None:
    """Writes one .npy an array, and board.json with their names, shapes and types."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {one.name: np.asarray(getattr(board, one.name)) for one in fields(Board)}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    described = {name: {"shape": array.shape, "dtype": str(array.dtype)} for name, array in arrays.items()}
    (folder / "board.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def load_board(folder: Path) -> Board:
    """The board again, its arrays mapped from the files: several processes share one copy of the memory.

    Raises:
        FileNotFoundError: no board there.
    """
    named = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    known = {one.name for one in fields(Board)}
    arrays = {name: _mapped(folder / f"{name}.npy") for name in named if name in known}
    return Board(**arrays)


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:  # nothing to map in an empty array
        return np.asarray(np.load(path, allow_pickle=False))


def _texts(column: pl.Series) -> NDArray[np.str_]:
    return column.cast(pl.String).fill_null("").to_numpy().astype(np.str_)

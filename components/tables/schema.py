"""The three tables of outcome logs, declared once: everything that checks, casts or documents them reads this."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column's type and legal values."""

    name: str
    dtype: pl.DataType
    required: bool = True
    """The column must be present; an optional one is filled with nulls."""
    nullable: bool = False
    minimum: float | None = None
    """Smallest legal value, inclusive."""
    maximum: float | None = None
    """Largest legal value, inclusive."""
    non_empty: bool = False
    """Text with at least one character that isn't white space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table: its columns and the key that is unique in it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Column name to polars type, in order."""
        return {column.name: column.dtype for column in self.columns}


def _text(name: str, *, required: bool = True, nullable: bool = False, non_empty: bool = False) -> Column:
    return Column(name=name, dtype=pl.String(), required=required, nullable=nullable, non_empty=non_empty)


PROMPTS = TableSchema(
    name="prompts",
    key=("prompt_id",),
    columns=(
        _text("prompt_id", non_empty=True),
        _text("prompt", non_empty=True),
        _text("benchmark", non_empty=True),
        _text("subject", required=False, nullable=True),
        _text("language", required=False, nullable=True),
        Column(name="created_on", dtype=pl.Date(), required=False, nullable=True),
    ),
)

CANDIDATES = TableSchema(
    name="candidates",
    key=("model",),
    columns=(
        _text("model", non_empty=True),
        _text("provider", required=False, nullable=True),
        Column(name="release_date", dtype=pl.Date(), required=False, nullable=True),
        Column(name="input_usd_per_mtok", dtype=pl.Float64(), minimum=0),
        Column(name="output_usd_per_mtok", dtype=pl.Float64(), minimum=0),
        Column(name="context_window", dtype=pl.Int64(), required=False, nullable=True, minimum=1),
        _text("price_as_of", required=False, nullable=True),
        _text("price_note", required=False, nullable=True),
    ),
)

OUTCOMES = TableSchema(
    name="outcomes",
    key=("prompt_id", "model"),
    columns=(
        _text("prompt_id", non_empty=True),
        _text("model", non_empty=True),
        Column(name="quality", dtype=pl.Float64(), minimum=0, maximum=1),
        Column(name="input_tokens", dtype=pl.Int64(), required=False, nullable=True, minimum=0),
        Column(name="output_tokens", dtype=pl.Int64(), required=False, nullable=True, minimum=0),
        Column(name="cost_usd", dtype=pl.Float64(), required=False, nullable=True, minimum=0),
        _text("graded_by", required=False, nullable=True),
    ),
)

SCHEMAS = (PROMPTS, CANDIDATES, OUTCOMES)

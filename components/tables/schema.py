"""The tables of outcome logs, declared once: everything that reads, checks, casts or documents them reads this.

Times are UTC without a zone. A missing row is "not observed", never 0; a null quality is "answered, not graded yet".
"""

from dataclasses import dataclass

import polars as pl

TIME = pl.Datetime("us")
TEXTS = pl.List(pl.String())
VISIBLE = (
    r"[^\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff]"
)
"""A character that shows: neither space nor control, nor default-ignorable (Unicode's DerivedCoreProperties). Encoders
read nothing else: a prompt without any has no direction, and nobody could say what it asks."""
LONGEST_NAME = 500
"""Characters of a name at most: arrays of names take four bytes a row for each character of the longest."""
GRADE_KINDS = ("person", "reference", "judge", "feedback", "preference")
"""Kinds of graders, the most trusted first."""


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
    above: float | None = None
    """Legal values are greater than this."""
    maximum: float | None = None
    """Largest legal value, inclusive."""
    non_empty: bool = False
    """Text with at least one character that shows, see `VISIBLE`."""
    longest: int | None = None
    """Characters of a legal text at most."""
    values: tuple[str, ...] = ()
    """The legal texts; empty: any."""
    name_of: str = ""
    """Holds a key of another thing ('model', 'prompt'): compared after Unicode NFC and trimming."""
    aliases: tuple[tuple[str, float], ...] = ()
    """Other names that the column is read under, each with the factor that its numbers are multiplied by."""

    @property
    def range(self) -> str:
        """Which numbers are legal, in words for messages.

        >>> Column(name="tokens", dtype=pl.Int64(), minimum=0).range
        '0 or more'
        >>> Column(name="propensity", dtype=pl.Float64(), above=0, maximum=1).range
        'in (0, 1]'
        """
        if self.maximum is None:
            return f"{self.minimum:g} or more" if self.above is None else f"more than {self.above:g}"
        return f"in {f'[{self.minimum:g}' if self.above is None else f'({self.above:g}'}, {self.maximum:g}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table: its columns and the key that is unique in it."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    stems: tuple[str, ...]
    """File names without suffix that the table is looked for under."""

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Column name to polars type, in order."""
        return {column.name: column.dtype for column in self.columns}


def _key(name: str, name_of: str, longest: int | None = None) -> Column:
    return Column(name=name, dtype=pl.String(), non_empty=True, longest=longest, name_of=name_of)


def _optional(name: str, dtype: pl.DataType | type[pl.DataType] = pl.String, **limits: object) -> Column:
    made = dtype() if isinstance(dtype, type) else dtype
    return Column(name=name, dtype=made, required=False, nullable=True, **limits)  # type: ignore[arg-type]


def _price(name: str, *aliases: tuple[str, float]) -> Column:
    return _optional(name, pl.Float64, minimum=0, aliases=aliases)


PROMPTS = TableSchema(
    name="prompts",
    stems=("prompts",),
    key=("prompt_id",),
    columns=(
        _key("prompt_id", "prompt", LONGEST_NAME),
        Column(name="prompt", dtype=pl.String(), non_empty=True),
        _optional("benchmark", longest=LONGEST_NAME),
        _optional("subject"),
        _optional("language"),
        _optional("created_at", TIME, aliases=(("created_on", 1),)),
        _optional("conversation_id"),
        _optional("requires", TEXTS),
        _optional("reference"),
    ),
)

CANDIDATES = TableSchema(
    name="candidates",
    stems=("candidates", "models"),
    key=("model",),
    columns=(
        _key("model", "model", LONGEST_NAME),
        _optional("provider"),
        _optional("release_date", pl.Date),
        _price("input_usd_per_mtok", ("input_cost_per_token", 1e6)),
        _price("output_usd_per_mtok", ("output_cost_per_token", 1e6)),
        _price("cached_input_usd_per_mtok", ("cache_read_input_token_cost", 1e6)),
        _optional("context_window", pl.Int64, minimum=1, aliases=(("max_input_tokens", 1),)),
        _optional("capabilities", TEXTS),
        _optional("retired", pl.Boolean),
        _optional("price_as_of"),
        _optional("price_note"),
    ),
)

OUTCOMES = TableSchema(
    name="outcomes",
    stems=("outcomes",),
    key=("prompt_id", "model"),
    columns=(
        _key("prompt_id", "prompt"),
        _key("model", "model"),
        _optional("quality", pl.Float64, minimum=0, maximum=1),
        _optional("input_tokens", pl.Int64, minimum=0),
        _optional("output_tokens", pl.Int64, minimum=0),
        _optional("cost_usd", pl.Float64, minimum=0),
        _optional("latency_ms", pl.Float64, minimum=0),
        _optional("propensity", pl.Float64, above=0, maximum=1),
        _optional("decided_at", TIME),
        _optional("decision_id"),
        _optional("graded_by"),
        _optional("samples", pl.Int64, minimum=1),
    ),
)

GRADES = TableSchema(
    name="grades",
    stems=("grades",),
    key=("prompt_id", "model", "grader", "kind"),
    columns=(
        _key("prompt_id", "prompt"),
        _key("model", "model"),
        Column(name="grader", dtype=pl.String(), non_empty=True),
        Column(name="kind", dtype=pl.String(), values=GRADE_KINDS),
        Column(name="grade", dtype=pl.Float64(), minimum=0, maximum=1),
        _optional("graded_at", TIME),
    ),
)

RESPONSES = TableSchema(
    name="responses",
    stems=("responses",),
    key=("prompt_id", "model"),
    columns=(
        _key("prompt_id", "prompt"),
        _key("model", "model"),
        Column(name="response", dtype=pl.String()),
    ),
)

PRICES = tuple(column.name for column in CANDIDATES.columns if column.name.endswith("_usd_per_mtok"))
SCHEMAS = (PROMPTS, CANDIDATES, OUTCOMES)
"""Tables that every log has."""
OPTIONAL_SCHEMAS = (GRADES, RESPONSES)
"""Tables that are read where they lie beside the others, and only needed for grading."""

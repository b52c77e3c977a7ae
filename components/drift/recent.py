"""Recent prompts in a folder: their texts, or only their embeddings where texts must stay where they are."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.drift.conversations import conversation_numbers, conversations, turns_apart
from components.tables.conversation import read_conversation
from components.tables.reading import read_frame
from components.tables.schema import OUTCOMES, PROMPTS
from components.tables.store import TableError, find_table, read_table

PROMPT_FILES = ("prompts.parquet", "prompts.jsonl", "prompts.json")
EMBEDDING_FILES = ("embeddings.npy", "embeddings.parquet")
_TABLES = ("outcomes.parquet", "outcomes.jsonl", "outcomes.json")


class DriftInputError(ValueError):
    """Recent prompts that can't be judged; the message names the file, the rule and the first offending rows."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recent:
    """Recent prompts, either as texts or as embeddings."""

    source: Path
    """The file they came from."""
    prompts: tuple[str, ...] | None
    embedding_ND: NDArray[np.float32] | None
    """Unit rows."""
    prompt_ids: tuple[str, ...] | None
    """None: the file has none."""
    outcomes: pl.DataFrame | None
    """`prompt_id`, `model`, `quality`, null: not graded; None: there are none."""
    period: tuple[str, str] | None = None
    """When the first and the last of the file's prompts was asked; None: it doesn't say."""
    conversation_N: NDArray[np.int32] | None = None
    """Turns of one conversation share a number, -1: belongs to none; None: the file doesn't say."""

    def __len__(self) -> int:
        if self.prompts is not None:
            return len(self.prompts)
        return 0 if self.embedding_ND is None else int(self.embedding_ND.shape[0])

    def sample(self, most: int, seed: int) -> "Recent":
        """At most so many of the prompts, a seeded sample in their own order.

        One of each conversation comes in before a second one of any: further turns tell little that is new.
        """
        if len(self) <= most:
            return self
        none_N = np.full(len(self), -1)
        rows = np.sort(turns_apart(none_N if self.conversation_N is None else self.conversation_N, seed)[:most])
        return replace(
            self,
            prompts=None if self.prompts is None else tuple(self.prompts[row] for row in rows),
            embedding_ND=None if self.embedding_ND is None else self.embedding_ND[rows],
            prompt_ids=None if self.prompt_ids is None else tuple(self.prompt_ids[row] for row in rows),
            conversation_N=None if self.conversation_N is None else self.conversation_N[rows],
        )

    def observed(self, models: tuple[str, ...]) -> NDArray[np.float64] | None:
        """Observed quality, shape (N, M), nan where none; None where no outcome belongs to a prompt and a candidate."""
        if self.outcomes is None or self.prompt_ids is None:
            return None
        rows = pl.DataFrame({"prompt_id": self.prompt_ids}).with_row_index("row")
        columns = pl.DataFrame({"model": models}).with_row_index("column")
        graded = self.outcomes.drop_nulls("quality")
        known = graded.join(rows, on="prompt_id").join(columns, on="model")
        if known.height == 0:
            return None
        observed_NM = np.full((len(self), len(models)), np.nan)
        observed_NM[known["row"].to_numpy(), known["column"].to_numpy()] = known["quality"].to_numpy()
        return observed_NM

    def unknown(self, models: tuple[str, ...]) -> dict[str, int]:
        """Outcomes of these prompts by models that are not among the candidates, graded or not, most first."""
        if self.outcomes is None or self.prompt_ids is None:
            return {}
        ours = self.outcomes.filter(pl.col("prompt_id").is_in(self.prompt_ids) & ~pl.col("model").is_in(models))
        counts = ours.group_by("model").len().sort("len", "model", descending=[True, False])
        return dict(counts.iter_rows())


def read_recent(folder: Path, *, minimum: int) -> Recent:
    """The recent prompts of a folder: prompts with a text column `prompt`, else embeddings without texts.

    Args:
        folder: holds `prompts` (parquet, jsonl or json; `prompt_id` and a table `outcomes` may be beside) or
            `embeddings.npy` / `embeddings.parquet` (column `embedding`) of the router's own encoder. A column
            `conversation_id` says which are turns of one conversation.
        minimum: fewer prompts can't be judged; those of one conversation count once.

    Raises:
        DriftInputError: no such folder, nothing to read in it, a missing column, an empty prompt, a bad vector, or too
            few prompts.
        TableError: outcomes that can't be read.
    """
    if not folder.is_dir():
        raise DriftInputError(f"{folder}: no such folder")
    source = next((folder / name for name in (*PROMPT_FILES, *EMBEDDING_FILES) if (folder / name).is_file()), None)
    if source is None:
        raise DriftInputError(f"{folder}: nothing to judge (looked for {', '.join((*PROMPT_FILES, *EMBEDDING_FILES))})")
    recent = _texts(_only(folder)) if source.name in PROMPT_FILES else _embeddings(source)
    count = len(recent) if recent.conversation_N is None else conversations(recent.conversation_N)
    if count < minimum:
        counted = " of different conversations" if count < len(recent) else ""
        raise DriftInputError(
            f"{source}: {count} prompts{counted} are too few to judge drift, at least {minimum} needed"
        )
    return recent


def _only(folder: Path) -> Path:
    try:
        return find_table(folder, PROMPTS)
    except TableError as error:
        raise DriftInputError(str(error)) from error


def _texts(source: Path) -> Recent:
    frame = _read(source)
    if "prompt" not in frame.columns or frame.schema["prompt"] != pl.String:
        raise DriftInputError(f"{source}: needs a text column 'prompt', found {dict(frame.schema)}")
    blank = frame.select((pl.col("prompt").fill_null("").str.strip_chars() == "").arg_true())["prompt"]
    if len(blank):
        raise DriftInputError(f"{source}: prompt is empty in {len(blank)} row(s), first {blank.head(5).to_list()}")
    has_ids = "prompt_id" in frame.columns
    ids = tuple(frame["prompt_id"].cast(pl.String).to_list()) if has_ids else None
    return Recent(
        source=source,
        prompts=tuple(frame["prompt"].to_list()),
        embedding_ND=None,
        prompt_ids=ids,
        outcomes=_outcomes(source, frame["prompt_id"] if has_ids else None),
        period=_period(frame),
        conversation_N=_conversations(source, frame),
    )


def _conversations(source: Path, frame: pl.DataFrame) -> NDArray[np.int32] | None:
    if "conversation_id" not in frame.columns:
        return None
    if frame.schema["conversation_id"].is_nested():
        raise DriftInputError(f"{source}: conversation_id must be text, is {frame.schema['conversation_id']}")
    return conversation_numbers(frame["conversation_id"])


def _period(frame: pl.DataFrame) -> tuple[str, str] | None:
    if "created_at" not in frame.columns or frame["created_at"].drop_nulls().is_empty():
        return None
    asked = frame["created_at"].drop_nulls().cast(pl.String)
    return str(asked.min())[:16], str(asked.max())[:16]


def _outcomes(source: Path, prompt_ids: pl.Series | None) -> pl.DataFrame | None:
    if not any((source.parent / name).is_file() for name in _TABLES):
        return None
    path = find_table(source.parent, OUTCOMES)
    if prompt_ids is None:
        raise DriftInputError(f"{source}: needs a column 'prompt_id', because {path.name} refers to it")
    repeated = prompt_ids.is_duplicated() | prompt_ids.is_null()
    if repeated.any():
        rows = repeated.arg_true().head(5).to_list()
        raise DriftInputError(f"{source}: prompt_id must be unique and not null, broken in rows {rows}")
    outcomes = read_table(path, OUTCOMES)
    illegal = outcomes["quality"].is_nan() | ~outcomes["quality"].is_between(0, 1)
    if illegal.any():
        raise DriftInputError(
            f"{path}: quality must be in [0, 1], broken in rows {illegal.arg_true().head(5).to_list()}"
        )
    doubled = outcomes.select("prompt_id", "model").is_duplicated()
    if doubled.any():
        rows = doubled.arg_true().head(5).to_list()
        raise DriftInputError(f"{path}: prompt_id and model together must be unique, broken in rows {rows}")
    return outcomes.select("prompt_id", "model", "quality") if outcomes.height else None


def _embeddings(source: Path) -> Recent:
    conversation_N = None
    if source.suffix == ".npy":
        try:
            raw = np.load(source, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DriftInputError(f"{source}: can't be read: {error}") from None
    else:
        frame = _read(source)
        if "embedding" not in frame.columns or not frame.schema["embedding"].is_nested():
            raise DriftInputError(f"{source}: needs a list column 'embedding', found {dict(frame.schema)}")
        vectors = frame["embedding"].to_list()
        widths = {0 if vector is None else len(vector) for vector in vectors}
        if len(widths) > 1:
            raise DriftInputError(f"{source}: embeddings must be of one width, found {sorted(widths)}")
        raw, conversation_N = np.array(vectors), _conversations(source, frame)
    if raw.ndim != 2 or raw.dtype.kind not in "fiu":
        raise DriftInputError(f"{source}: embeddings must be a matrix of numbers, is {raw.dtype} of shape {raw.shape}")
    length_N = np.linalg.norm(raw.astype(np.float64), axis=1)
    broken = np.flatnonzero(~np.isfinite(length_N) | (length_N == 0))
    if broken.size:
        raise DriftInputError(f"{source}: an embedding must be finite and not 0, broken in rows {broken[:5].tolist()}")
    unit_ND = (raw / length_N[:, None]).astype(np.float32)
    return Recent(
        source=source,
        prompts=None,
        embedding_ND=unit_ND,
        prompt_ids=None,
        outcomes=None,
        conversation_N=conversation_N,
    )


def _read(source: Path) -> pl.DataFrame:
    try:
        return read_frame(source, PROMPTS, conversation=read_conversation(source.parent))
    except TableError as error:
        raise DriftInputError(str(error)) from error

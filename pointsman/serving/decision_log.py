"""The decision log: what was decided with which probability, and what became of it.

`pointsman import decisions DIR` makes tables of one answer a prompt of it, with exact propensities.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from pointsman.home import spool
from pointsman.serving.columns import decision_frame, shadow_frame
from pointsman.serving.decided import Decided
from pointsman.serving.log_schema import FIGURES, OUTCOME
from pointsman.serving.segments import Segments, frame_of, read_segments
from pointsman.serving.shadow import Compared

if TYPE_CHECKING:
    from pointsman.serving.shipping import Shipping

_LOG = logging.getLogger(__name__)
TextSetting = Literal["full", "hash", "embedding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """Where decisions are kept, and how much of a prompt."""

    folder: Path
    url: str | None = None
    """Where segments go once they are finished, what fsspec opens; None: they stay in the folder."""
    ship_seconds: float = 60.0
    """Most that the URL is behind while it can be written, > 0."""
    text: TextSetting = "full"
    """full: the routed text, which alone can be learnt from; hash: its digest; embedding: digest and vector."""
    flush_seconds: float = 1.0
    """Most that a crash can lose, > 0; of a shadow's choices five times as much."""
    capacity: int = 50_000
    """Rows of a kind that wait for the disk, >= 1; further ones are counted and lost."""

    def __post_init__(self) -> None:
        if self.text not in ("full", "hash", "embedding"):
            raise ValueError(f"the log's text setting must be full, hash or embedding, got {self.text!r}")
        if not self.ship_seconds > 0:
            raise ValueError(f"ship_seconds must be > 0, got {self.ship_seconds}")

    @classmethod
    def at(cls, where: str, *, text: TextSetting = "full") -> "LogConfig":
        """Of a folder, or of a URL, for which a folder beside the published root takes what isn't there yet."""
        if "://" not in where:
            return cls(folder=Path(where), text=text)
        digest = hashlib.sha256(where.encode()).hexdigest()[:12]
        return cls(folder=spool() / digest, url=where, text=text)


class DecisionLog:
    """Decisions, outcomes and a shadow's choices, each in segments of its own in one folder."""

    def __init__(self, config: LogConfig) -> None:
        """Opens the log.

        Raises:
            OSError: the folder can't be written.
            ValueError: nothing is known that could write to the URL.
        """
        self.config = config
        keeps: dict[str, Any] = {"capacity": config.capacity}
        self._shipping: Shipping | None = None
        if config.url is not None:
            self._shipping = _shipping(config, config.url)
            keeps["join_seconds"] = config.ship_seconds / 2

        def columns(decided: Sequence[Decided]) -> pl.DataFrame:
            return decision_frame(decided, text=config.text == "full", embedding=config.text == "embedding")

        soon = config.flush_seconds
        self._decisions = Segments(config.folder, "decisions", columns, size=len, flush_seconds=soon, **keeps)
        self._outcomes = Segments(config.folder, "outcomes", frame_of(OUTCOME), flush_seconds=soon, **keeps)
        # nothing is learnt from it, and each file costs as much as deciding for some requests
        self._shadow = Segments(config.folder, "shadow", shadow_frame, size=len, flush_seconds=5 * soon, **keeps)

    def decided(self, decided: Decided) -> None:
        """Keeps a request's decisions, as much of their texts as the setting allows."""
        self._decisions.append(decided)

    def told(self, row: Mapping[str, Any]) -> bool:
        """Keeps an outcome, columns as OUTCOME; False: there was no room, and the caller should come again."""
        return self._outcomes.append(row)

    def shadowed(self, compared: Compared) -> None:
        """Keeps what a shadow would have chosen."""
        self._shadow.append(compared)

    @property
    def shed(self) -> int:
        """Rows lost for want of room."""
        return self._decisions.shed + self._outcomes.shed + self._shadow.shed

    @property
    def failures(self) -> int:
        """Writes that failed and were tried again."""
        shipping = 0 if self._shipping is None else self._shipping.failures
        return self._decisions.failures + self._outcomes.failures + self._shadow.failures + shipping

    def flush(self) -> None:
        """Writes what waits."""
        for segments in (self._decisions, self._outcomes, self._shadow):
            segments.flush()

    def close(self) -> None:
        """Writes what waits and ends the writers; at a URL, if there is one, is all that was written."""
        for segments in (self._decisions, self._outcomes, self._shadow):
            segments.close()
        if self._shipping is not None:
            self._shipping.close()


def _shipping(config: LogConfig, url: str) -> "Shipping":
    from pointsman.serving.shipping import Shipping  # noqa: PLC0415  # fsspec is loaded for URLs alone

    return Shipping(config.folder, url, every=config.ship_seconds / 2)


def read_log(folder: Path) -> pl.DataFrame:
    """Decisions with their outcomes beside them, one row a decision, in the order of decisions.

    Of several outcomes of a decision each figure's last one counts; a row that stands twice counts once. Left out, and
    told as a warning, are decisions whose id stands for another prompt or candidate as well: nobody can say which of
    them an outcome is about.

    Raises:
        FileNotFoundError: the folder holds no decisions.
    """
    decisions = read_segments(folder, "decisions")
    if decisions is None:
        raise FileNotFoundError(f"{folder} holds no decisions (decisions-*.parquet)")
    each = decisions.group_by("decision_id").agg(pl.struct("digest", "candidate").n_unique().alias("asked"))
    unclear = each.filter(pl.col("asked") > 1)["decision_id"]
    if len(unclear):
        _LOG.warning("%s: %d ids of decisions stand for several prompts or candidates", folder, len(unclear))
    decisions = decisions.filter(~pl.col("decision_id").is_in(unclear.implode()))
    decisions = decisions.unique("decision_id", keep="first", maintain_order=True)
    outcomes = read_segments(folder, "outcomes")
    if outcomes is None:
        outcomes = pl.DataFrame(schema=OUTCOME)
    last = (
        outcomes.sort("told_at", maintain_order=True)
        .group_by("decision_id", maintain_order=True)
        .agg(pl.col(name).drop_nulls().last() for name in FIGURES)
        # told of a call that didn't fail
        .with_columns(pl.col("error").replace("", None))
    )
    return decisions.join(last, on="decision_id", how="left", maintain_order="left")

"""Embeddings kept by content: a retrain encodes only prompts that it has never seen.

Parquet shards named by their content; they are written whole and only ever added.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.tables.store import write_parquet
from pointsman.text.spec import EncoderSpec

_LOG = logging.getLogger(__name__)
SHARD = 20_000
"""Prompts that are encoded and kept at a time."""


class Encodes(Protocol):
    """What the cache needs of an encoder."""

    spec: EncoderSpec
    digest: str

    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (N, D)."""


def embed_cached(encoder: Encodes, prompts: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Unit vectors of all prompts, shape (N, D), from the cache where they are in it.

    New prompts are encoded and kept some thousands at a time: what is encoded when a run is stopped stays, and memory
    holds little more than the vectors themselves. A static encoder's are made quicker than they are read, and aren't
    kept.

    Args:
        folder: holds one subfolder an encoder; a shard that can't be read is passed over and made again.
    """
    vector_ND = np.zeros((len(prompts), encoder.spec.dimension), dtype=np.float32)
    if encoder.spec.kind == "static":
        for start in range(0, len(prompts), SHARD):
            vector_ND[start : start + SHARD] = encoder.encode(prompts[start : start + SHARD])
        return vector_ND
    shelf = folder / encoder.digest[:16]
    digests = [hashlib.sha256(prompt.encode()).hexdigest() for prompt in prompts]
    # rows of a prompt that comes several times are filled from its first
    asked = pl.DataFrame({"prompt_digest": digests}, schema={"prompt_digest": pl.String()}).with_row_index("row")
    first = asked.unique("prompt_digest", keep="first", maintain_order=True)
    missing = _fill(vector_ND, first, shelf)
    if missing.size:
        _LOG.info("%d of %d prompts are new to the encoder", missing.size, len(prompts))
    for start in range(0, missing.size, SHARD):
        rows = missing[start : start + SHARD]
        vector_ND[rows] = encoder.encode([prompts[row] for row in rows])
        named = [digests[row] for row in rows]
        write_parquet(
            pl.DataFrame({"prompt_digest": named, "embedding": vector_ND[rows]}, schema=_schema(vector_ND)),
            shelf / f"{hashlib.sha256(''.join(named).encode()).hexdigest()[:16]}.parquet",
        )
    if first.height < len(prompts):
        vector_ND[:] = vector_ND[asked.select(pl.col("row").first().over("prompt_digest"))["row"].to_numpy()]
    return vector_ND


def _fill(vector_ND: NDArray[np.float32], first: pl.DataFrame, shelf: Path) -> NDArray[np.intp]:
    """Writes what the shards know into its rows; the rows that none knows, in order."""
    filled_N = np.zeros(len(vector_ND), dtype=np.bool_)
    for path in sorted(shelf.glob("[!.]*.parquet")):
        try:
            shard = pl.read_parquet(path, schema=_schema(vector_ND)).with_row_index("at")
        except (pl.exceptions.PolarsError, OSError):
            continue
        found = first.join(shard.select("prompt_digest", "at"), on="prompt_digest").unique("row")
        row_K, at_K = found["row"].to_numpy(), found["at"].to_numpy()
        vector_ND[row_K] = shard["embedding"].to_numpy()[at_K]
        filled_N[row_K] = True
    rows = first["row"].to_numpy()
    return np.asarray(rows[~filled_N[rows]], dtype=np.intp)


def _schema(vector_ND: NDArray[np.float32]) -> dict[str, pl.DataType]:
    return {"prompt_digest": pl.String(), "embedding": pl.Array(pl.Float32, vector_ND.shape[1])}

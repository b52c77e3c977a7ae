"""Embeddings kept by content: a retrain encodes only prompts that it has never seen.

One parquet shard a call, named by its content; shards are written whole and only ever added.
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


class Encodes(Protocol):
    """What the cache needs of an encoder."""

    spec: EncoderSpec
    digest: str

    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (N, D)."""


def embed_cached(encoder: Encodes, prompts: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Unit vectors of all prompts, shape (N, D), from the cache where they are in it.

    A static encoder's are made quicker than they are read, and aren't kept.

    Args:
        folder: holds one subfolder an encoder; a shard that can't be read is passed over and made again.
    """
    if encoder.spec.kind == "static":
        return encoder.encode(prompts)
    width = encoder.spec.dimension
    schema = {"prompt_digest": pl.String(), "embedding": pl.Array(pl.Float32, width)}
    shelf = folder / encoder.digest[:16]
    digests = [hashlib.sha256(prompt.encode()).hexdigest() for prompt in prompts]
    wanted = pl.DataFrame(
        {"prompt_digest": digests, "prompt": list(prompts)},
        schema={"prompt_digest": pl.String(), "prompt": pl.String()},
    )
    known = _read(shelf, schema)
    new = wanted.unique("prompt_digest", maintain_order=True).join(known, on="prompt_digest", how="anti")
    if new.height:
        _LOG.info("%d of %d prompts are new to the encoder", new.height, wanted.height)
        embedding_ND = encoder.encode(new["prompt"].to_list())
        fresh = pl.DataFrame({"prompt_digest": new["prompt_digest"], "embedding": embedding_ND}, schema=schema)
        name = hashlib.sha256("".join(new["prompt_digest"]).encode()).hexdigest()[:16]
        write_parquet(fresh, shelf / f"{name}.parquet")
        known = pl.concat([known, fresh])
    rows = wanted.select("prompt_digest").join(known, on="prompt_digest", how="left", maintain_order="left")
    return rows["embedding"].to_numpy().reshape(len(prompts), width).astype(np.float32)


def _read(shelf: Path, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    shards = [pl.DataFrame(schema=schema)]
    for path in sorted(shelf.glob("[!.]*.parquet")):
        try:
            shards.append(pl.read_parquet(path, schema=schema))
        except (pl.exceptions.PolarsError, OSError):
            continue
    return pl.concat(shards).unique("prompt_digest", keep="first", maintain_order=True)

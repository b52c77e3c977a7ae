"""Station 3: what turns prompts into vectors: exported, brought along, or distilled from the logs' own prompts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel

from components.embeddings.cache import embed_cached
from components.embeddings.distil import DistilConfig
from components.embeddings.folders import Precision, import_encoder
from components.embeddings.static_folder import distil_folder, refitted, token_vectors
from components.learning.encoder_choice import ChoiceConfig, choose_encoder
from components.tables.board import to_board
from components.tables.store import read_tables
from flows.platform import paths
from flows.platform.caching import cached_task
from flows.platform.fan_out import fan_out
from flows.platform.references import DataRef, keep, reference
from flows.platform.settings import settings
from flows.presets import Preset
from flows.stations.board import read_splits, split_names
from pointsman.text.encoder import Encoder, read_spec, read_tokenizer

DISTILLED = ("auto", "static")
"""Encoders that are made from the logs' prompts."""
PRECISIONS: tuple[Precision, ...] = ("int8", "fp32")
SHARD = 500
"""Prompts that a Dask worker encodes at a time: some seconds of work."""
CHOICE = "choice.json"
_ROWS = "rows.npy"


@cached_task(name="embed: sentence encoder")
def export_encoder(precision: Precision) -> DataRef:
    """The packaged sentence encoder as ONNX, once an installation."""
    from components.embeddings.export import export_minilm  # noqa: PLC0415  # torch and transformers

    return keep("encoder", lambda folder: export_minilm(folder, precision))


@cached_task(name="embed: your encoder")
def bring_encoder(source: DataRef) -> DataRef:
    """An encoder that somebody brought, in Pointsman's form."""
    return keep("encoder", lambda folder: import_encoder(source.path, folder))


@cached_task(name="embed: token vectors")
def read_token_vectors(sentence: DataRef) -> DataRef:
    """The sentence encoder's vector of each token alone, once an installation."""
    vectors_VD = token_vectors(sentence.path)
    return keep("token_vectors", lambda folder: np.save(folder / "vectors.npy", vectors_VD))


@cached_task(name="embed")
def embed(*, tables: DataRef, encoder: DataRef) -> DataRef:
    """One unit vector a prompt, in the order of the prompts table."""
    prompts = read_tables(tables.path).prompts["prompt"].to_list()
    embedding_ND = embed_cached(Encoder.load(encoder.path), prompts, paths.embeddings())
    return keep("embed", lambda folder: np.save(folder / "embedding.npy", embedding_ND))


@cached_task(name="embed: part", run_name="embed: from prompt {first}")
def encode(*, tables: DataRef, encoder: DataRef, first: int, count: int) -> int:
    """Puts these prompts' vectors where `embed` finds them; how many there were."""
    prompts = read_tables(tables.path).prompts["prompt"][first : first + count].to_list()
    return len(embed_cached(Encoder.load(encoder.path), prompts, paths.embeddings()))


def embed_widely(*, tables: DataRef, encoder: DataRef) -> DataRef:
    """`embed`, with its prompts encoded on Dask's workers where there are any: each prompt runs alone either way."""
    if settings().dask is not None:
        prompts = read_tables(tables.path).prompts.height
        shared = {"tables": tables, "encoder": encoder, "count": SHARD}
        fan_out(encode, {first: shared | {"first": first} for first in range(0, prompts, SHARD)})
    return embed(tables=tables, encoder=encoder)


@cached_task(name="embed: sample")
def embed_sample(*, tables: DataRef, encoder: DataRef, count: int, seed: int) -> DataRef:
    """One unit vector a prompt of a sample, and its rows in the prompts table."""
    prompts = read_tables(tables.path).prompts["prompt"]
    rows_S = np.sort(np.random.default_rng(seed).permutation(len(prompts))[:count])
    texts = prompts.gather(rows_S).to_list()
    vectors_SD = embed_cached(Encoder.load(encoder.path), texts, paths.embeddings())

    def write(folder: Path) -> None:
        np.save(folder / "embedding.npy", vectors_SD)
        np.save(folder / _ROWS, rows_S)

    return keep("embed", write)


@cached_task(name="embed: static encoder")
def distil_encoder(
    *,
    tables: DataRef,
    taught: DataRef,
    splits: DataRef | None,
    sentence: DataRef,
    vectors: DataRef,
    config: DistilConfig,
) -> DataRef:
    """A static encoder from the sentence encoder's vectors: of training prompts, or of all where there are no splits.

    Args:
        taught: what `embed` or `embed_sample` kept of the sentence encoder.
        vectors: what `read_token_vectors` kept.
    """
    prompts = read_tables(tables.path).prompts
    rows_K, teacher_KD = _taught(taught, prompts["prompt_id"], splits)
    texts = prompts["prompt"].gather(rows_K).to_list()
    start_VD = np.load(vectors.file("vectors.npy"))
    return keep("encoder", lambda folder: distil_folder(sentence.path, texts, teacher_KD, start_VD, config, folder))


@cached_task(name="embed: choose the encoder")
def choose_between(
    *,
    tables: DataRef,
    taught: DataRef,
    splits: DataRef,
    sentence: DataRef,
    static: DataRef,
    vectors: DataRef,
    distilling: DistilConfig,
    config: ChoiceConfig,
    seed: int,
) -> DataRef:
    """The static or the sentence encoder, and the figures that decided it.

    The static one is distilled again for each comparison, without the prompts that are judged.
    """
    frames = read_tables(tables.path)
    board = to_board(frames)
    rows_K, teacher_KD = _taught(taught, frames.prompts["prompt_id"], splits)
    graded_K = board.observed_NM[rows_K].any(axis=1)
    rows_K, teacher_KD = rows_K[graded_K], teacher_KD[graded_K]
    drawn_S = np.sort(np.random.default_rng(seed).permutation(rows_K.size)[: config.prompts])
    rows_S, teacher_SD = rows_K[drawn_S], teacher_KD[drawn_S]
    tokens = read_tokenizer(static.path).tokenize(frames.prompts["prompt"].gather(rows_S).to_list())
    again = refitted(sentence.path, tokens, teacher_SD, np.load(vectors.file("vectors.npy")), distilling)
    placed = read_splits(splits, frames.prompts["prompt_id"])
    found = choose_encoder(
        {"static": again, "sentence": lambda _: teacher_SD},
        board.quality_NM[rows_S],
        board.benchmark_N[rows_S],
        config,
        seed,
        placed["group"].to_numpy()[rows_S] if "group" in placed.columns else None,
    )

    def write(folder: Path) -> None:
        chosen = static if found.chosen == "static" else sentence
        shutil.copytree(chosen.path, folder, dirs_exist_ok=True)
        (folder / CHOICE).write_text(json.dumps(found.to_document(), indent=1))

    return keep("encoder", write)


def describe_encoder(encoder: DataRef) -> dict[str, Any]:
    """What the encoder is, and the comparison that chose it; `choice` None: it was asked for."""
    choice = encoder.path / CHOICE
    return {
        **read_spec(encoder.path).to_document(),
        "choice": json.loads(choice.read_text()) if choice.exists() else None,
    }


def _taught(
    taught: DataRef, prompt_ids: pl.Series, splits: DataRef | None
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Rows of the prompts that the sentence encoder has read, training prompts alone where there are splits."""
    vectors_SD = np.load(taught.file("embedding.npy"))
    rows_S = np.load(taught.file(_ROWS)) if (taught.path / _ROWS).exists() else np.arange(len(vectors_SD))
    if splits is None:
        return rows_S, vectors_SD
    train_S = split_names(splits, prompt_ids)[rows_S] == "train"
    return rows_S[train_S], vectors_SD[train_S]


class Encoded(BaseModel, frozen=True):
    """The encoder of a run, every prompt's vector, and the splits."""

    encoder: DataRef
    embedded: DataRef
    splits: DataRef


def encode_and_divide(
    asked: str, tables: DataRef, divided: Callable[[DataRef], DataRef], chosen: Preset, seed: int
) -> Encoded:
    """The encoder that was asked for, the prompts' vectors and their splits.

    Near-duplicates are found with the sentence encoder. Of more than `chosen.exact_prompts` it reads a sample only:
    what is distilled from that reads the rest, and finds the near-duplicates.

    Args:
        asked: auto, static, int8, fp32, or a folder.
        divided: embeddings of all prompts -> splits.
    """
    if asked not in DISTILLED:
        packaged = next((precision for precision in PRECISIONS if precision == asked), None)
        encoder = export_encoder(packaged) if packaged else bring_encoder(reference(Path(asked)))
        embedded = embed_widely(tables=tables, encoder=encoder)
        return Encoded(encoder=encoder, embedded=embedded, splits=divided(embedded))
    sentence = export_encoder("int8")
    vectors = read_token_vectors(sentence)
    config = chosen.distilling
    if read_tables(tables.path).prompts.height <= chosen.exact_prompts:
        taught = embed_widely(tables=tables, encoder=sentence)
        splits = divided(taught)
        static = distil_encoder(
            tables=tables, taught=taught, splits=splits, sentence=sentence, vectors=vectors, config=config
        )
        embedded = embed(tables=tables, encoder=static)
    else:
        taught = embed_sample(tables=tables, encoder=sentence, count=config.sample, seed=seed)
        static = distil_encoder(
            tables=tables, taught=taught, splits=None, sentence=sentence, vectors=vectors, config=config
        )
        embedded = embed(tables=tables, encoder=static)
        splits = divided(embedded)
    if asked == "static":
        return Encoded(encoder=static, embedded=embedded, splits=splits)
    encoder = choose_between(
        tables=tables,
        taught=taught,
        splits=splits,
        sentence=sentence,
        static=static,
        vectors=vectors,
        distilling=config,
        config=chosen.choosing,
        seed=seed,
    )
    return Encoded(encoder=encoder, embedded=embed_widely(tables=tables, encoder=encoder), splits=splits)

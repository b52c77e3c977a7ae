"""Encoders that people bring: a sentence-transformers, ONNX or Model2Vec folder, written in Pointsman's form.

Nothing is fetched: a folder holds all that its encoder needs.
"""

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from tokenizers import Tokenizer as LibraryTokenizer

from pointsman.text.encoder import Encoder, EncoderError, read_spec
from pointsman.text.onnx import OnnxEncoder, dimension_of
from pointsman.text.spec import SPECIFICATION, TOKENIZER, WEIGHTS, EncoderSpec, Pooling
from pointsman.text.static import quantise
from pointsman.text.tokenizer import Tokenizer

Precision = Literal["int8", "fp32"]
"""Of the packaged sentence encoder's weights."""
GRAPHS = ("encoder.onnx", "model.onnx", "onnx/model.onnx")
"""Where an ONNX folder's graph is looked for."""
FORMS = (
    "a sentence-transformers folder (modules.json), an ONNX folder (model.onnx and tokenizer.json) or a Model2Vec "
    "folder (model.safetensors, tokenizer.json and config.json)"
)


def import_encoder(source: Path, target: Path) -> EncoderSpec:
    """Writes a folder's encoder as `encoder.json`, its weights and `tokenizer.json`.

    Args:
        source: the folder that somebody brought.
        target: made if it doesn't exist; files in it are replaced.

    Raises:
        EncoderError: the folder is of no known form, or a part of it can't be used; names the file.
    """
    if not source.is_dir():
        raise EncoderError(f"{source}: no such folder: an encoder is auto, static, int8, fp32, or {FORMS}")
    target.mkdir(parents=True, exist_ok=True)
    if (source / SPECIFICATION).is_file():
        spec = read_spec(source)
        for name in spec.files:
            shutil.copyfile(_file(source, name), target / name)
    elif static := _static_weights(source):
        spec = _import_static(*static, source, target)
    elif (source / "modules.json").is_file():
        from components.embeddings.export import export_sentence_transformer  # noqa: PLC0415  # torch

        spec = export_sentence_transformer(source, target)
    elif graph := next((source / name for name in GRAPHS if (source / name).is_file()), None):
        spec = _import_graph(graph, source, target)
    else:
        raise EncoderError(f"{source}: no known encoder: want {FORMS}")
    write_spec(spec, target)
    Encoder.load(target, threads=1).encode(["a"])
    return spec


def write_spec(spec: EncoderSpec, folder: Path) -> None:
    """Writes `encoder.json`."""
    (folder / SPECIFICATION).write_text(json.dumps(spec.to_document(), indent=1) + "\n")


def write_static(name: str, vector_VD: NDArray[np.float32], tokenizer: str, folder: Path) -> EncoderSpec:
    """Writes a static encoder of these token vectors: weights, tokenizer and specification.

    Args:
        tokenizer: content of its tokenizer.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spec = EncoderSpec(name=name, kind="static", dimension=vector_VD.shape[1], pooling="mean")
    (folder / WEIGHTS["static"]).write_bytes(safetensors.numpy.save(quantise(vector_VD)))
    (folder / TOKENIZER).write_text(tokenizer, encoding="utf-8")
    write_spec(spec, folder)
    return spec


def special_tokens(content: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tokens that a tokenizer.json puts in front of and behind a text.

    Raises:
        EncoderError: it puts them somewhere else.
    """
    tokenizer = LibraryTokenizer.from_str(content)
    tokenizer.no_padding()
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    whole = tokenizer.encode("a", add_special_tokens=True).ids
    for start in range(len(whole) - len(plain) + 1):
        if plain and whole[start : start + len(plain)] == plain:
            sides = whole[:start], whole[start + len(plain) :]
            before, after = (tuple(str(tokenizer.id_to_token(one)) for one in side) for side in sides)
            return before, after
    raise EncoderError("tokenizer.json puts its special tokens neither in front nor behind")


def pooling_of(source: Path) -> Pooling | None:
    """The pooling that a sentence-transformers folder describes; None: it doesn't.

    Raises:
        EncoderError: one that isn't known here.
    """
    path = source / "1_Pooling" / "config.json"
    if not path.is_file():
        return None
    document = _json(path)
    modes = {name for name, chosen in document.items() if name.startswith("pooling_mode_") and chosen is True}
    if isinstance(document.get("pooling_mode"), str):
        modes = {f"pooling_mode_{document['pooling_mode']}"}
    if modes <= {"pooling_mode_mean_tokens", "pooling_mode_mean"} and modes:
        return "mean"
    if modes <= {"pooling_mode_cls_token", "pooling_mode_cls"} and modes:
        return "first"
    raise EncoderError(f"{path}: pooling must be mean_tokens or cls_token, got {', '.join(sorted(modes)) or 'none'}")


def longest_input(source: Path) -> int | None:
    """Tokens that a transformer reads, special ones included; None: nobody says."""
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        if (source / name).is_file():
            said = _json(source / name).get(key)
            if isinstance(said, int) and 0 < said < 1_000_000:  # transformers writes 10^30 for "unknown"
                return said
    config = _json(source / "config.json") if (source / "config.json").is_file() else {}
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int):
        return None
    # RoBERTa and its kin count positions from behind the padding token
    return positions - 2 if config.get("model_type") in ("roberta", "xlm-roberta", "camembert", "mpnet") else positions


def _static_weights(source: Path) -> tuple[Path, Path] | None:
    """Weights and tokenizer of a Model2Vec folder, or of a sentence-transformers one of the same kind."""
    if not (source / "modules.json").is_file():
        weights, tokenizer = source / "model.safetensors", source / TOKENIZER
        return (weights, tokenizer) if weights.is_file() and tokenizer.is_file() else None
    modules = _json(source / "modules.json", list)
    if not modules or not str(modules[0].get("type", "")).endswith("StaticEmbedding"):
        return None
    inner = source / str(modules[0].get("path", ""))
    return _file(inner, "model.safetensors"), _file(inner, TOKENIZER)


def _import_static(weights: Path, tokenizer: Path, source: Path, target: Path) -> EncoderSpec:
    """Token vectors times their weights: of a quantised vocabulary, each token's own again.

    A token of which the tokenizer says that it is unknown counts nothing, as model2vec has it.
    """
    try:
        arrays = safetensors.numpy.load(weights.read_bytes())
    except Exception as error:
        raise EncoderError(f"{weights}: {error}") from None
    vectors = arrays.get("embeddings", arrays.get("embedding.weight"))
    if vectors is None or vectors.ndim != 2:
        raise EncoderError(f"{weights}: want a matrix `embeddings`, got {', '.join(sorted(arrays)) or 'nothing'}")
    content = tokenizer.read_text(encoding="utf-8")
    size = len(_tokenizer(content, tokenizer).vocabulary)
    row_V = arrays.get("mapping", np.arange(vectors.shape[0]))
    if row_V.size < size or (row_V.size and (row_V.min() < 0 or row_V.max() >= vectors.shape[0])):
        raise EncoderError(f"{weights}: {vectors.shape[0]} vectors don't fit the {size} tokens of {tokenizer.name}")
    vector_VD = vectors.astype(np.float32)[row_V]
    if "weights" in arrays:
        vector_VD *= arrays["weights"].astype(np.float32)[:, None]
    if not np.isfinite(vector_VD).all():
        raise EncoderError(f"{weights}: vectors must be finite")
    unknown = (_json(tokenizer).get("model") or {}).get("unk_token")
    if "embeddings" in arrays and isinstance(unknown, str):
        vector_VD[_tokenizer(content, tokenizer).id_of(unknown)] = 0
    return write_static(source.name, vector_VD, content, target)


def _import_graph(graph: Path, source: Path, target: Path) -> EncoderSpec:
    content = _file(source, TOKENIZER).read_text(encoding="utf-8")
    before, after = special_tokens(content)
    data = graph.read_bytes()
    tokenizer = _tokenizer(content, source / TOKENIZER)
    said = pooling_of(source)
    tried: list[Pooling] = ["sentence", said or "mean"]
    for pooling in tried:
        try:
            dimension = dimension_of(data, pooling)
        except ValueError as error:
            reason = error
            continue
        spec = EncoderSpec(
            name=source.name,
            kind="onnx",
            dimension=dimension,
            pooling=pooling,
            before=before,
            after=after,
            longest_input=longest_input(source),
        )
        OnnxEncoder(data, spec, tokenizer, threads=1)
        (target / WEIGHTS["onnx"]).write_bytes(data)
        (target / TOKENIZER).write_text(content, encoding="utf-8")
        return spec
    raise EncoderError(f"{graph}: {reason}")


def _tokenizer(content: str, path: Path) -> Tokenizer:
    try:
        return Tokenizer(content)
    except ValueError as error:
        raise EncoderError(f"{path}: {error}") from None


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise EncoderError(f"{path}: there is no such file")
    return path


def _json(path: Path, kind: type = dict) -> Any:
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{path}: {error}") from None
    if not isinstance(document, kind):
        raise EncoderError(f"{path}: want a JSON {kind.__name__}")
    return document

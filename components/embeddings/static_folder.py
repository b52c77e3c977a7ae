"""Static encoders distilled from a sentence encoder, as folders. Shapes: N prompts, V vocabulary, D dimensions."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.embeddings.distil import DistilConfig, distil
from components.embeddings.folders import write_static
from pointsman.text.encoder import read_spec, read_tokenizer
from pointsman.text.onnx import OnnxEncoder
from pointsman.text.spec import TOKENIZER, WEIGHTS, EncoderSpec
from pointsman.text.static import StaticEncoder, quantise
from pointsman.text.tokens import Tokens

Floats32 = NDArray[np.float32]
_BATCH = 64
"""Tokens that are encoded at a time: more don't make it quicker."""


def token_vectors(sentence: Path) -> Floats32:
    """The sentence encoder's vector of each token by itself, shape (V, D): where distillation starts.

    Tokens are encoded in batches: what they do to each other's vectors is no more than what int8 does.

    Args:
        sentence: the folder of an encoder that is a graph.
    """
    tokenizer = read_tokenizer(sentence)
    spec = read_spec(sentence)
    encoder = OnnxEncoder((sentence / WEIGHTS[spec.kind]).read_bytes(), spec, tokenizer)
    token_V1 = np.arange(len(tokenizer.vocabulary), dtype=np.int32)[:, None]
    parts = [encoder.encode_alike(token_V1[start : start + _BATCH]) for start in range(0, len(token_V1), _BATCH)]
    return np.concatenate(parts)


def distil_folder(
    sentence: Path, prompts: Sequence[str], teacher_ND: Floats32, start_VD: Floats32, config: DistilConfig, folder: Path
) -> EncoderSpec:
    """Distils from some prompts and writes the static encoder.

    Args:
        sentence: the folder of the sentence encoder, whose tokenizer the static one keeps.
        prompts: to learn from; more than `config.sample` are thinned evenly.
        teacher_ND: the sentence encoder's unit vectors of them.
        start_VD: `token_vectors`.
        folder: made if it doesn't exist.
    """
    spec = read_spec(sentence)
    kept = np.unique(np.linspace(0, len(prompts) - 1, min(len(prompts), config.sample)).astype(np.intp))
    tokens = read_tokenizer(sentence).tokenize([prompts[row] for row in kept])
    vector_VD = distil(_read_by(spec, tokens), teacher_ND[kept], start_VD, config)
    content = (sentence / TOKENIZER).read_text(encoding="utf-8")
    return write_static(f"{spec.name}, distilled", vector_VD, content, folder)


def refitted(
    sentence: Path, tokens: Tokens, teacher_ND: Floats32, start_VD: Floats32, config: DistilConfig
) -> Callable[[NDArray[np.intp]], Floats32]:
    """Static vectors of all prompts, shape (N, D), from an encoder that is distilled from some rows of them alone."""
    spec = read_spec(sentence)
    static = EncoderSpec(name="", kind="static", dimension=start_VD.shape[1], pooling="mean")
    read = _read_by(spec, tokens)

    def embed(rows_K: NDArray[np.intp]) -> Floats32:
        vector_VD = distil(read.take(rows_K), teacher_ND[rows_K], start_VD, config)
        return StaticEncoder(quantise(vector_VD), static).encode_tokens(tokens)

    return embed


def _read_by(spec: EncoderSpec, tokens: Tokens) -> Tokens:
    """What the sentence encoder reads of prompts: the static one has to explain no more."""
    return tokens if spec.longest_prompt is None else tokens.cut(spec.longest_prompt)

"""The encoder of a router: a tokenizer and what turns its tokens into vectors of length one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from pointsman.text.spec import SPECIFICATION, TOKENIZER, EncoderSpec
from pointsman.text.static import StaticEncoder
from pointsman.text.tokenizer import Tokenizer
from pointsman.text.tokens import Tokens


class EncoderError(ValueError):
    """An encoder that can't be read or run; says which file and what to do."""


class Vectors(Protocol):
    """What turns tokens into unit vectors."""

    def encode_tokens(self, tokens: Tokens) -> NDArray[np.float32]:
        """Shape (N, D)."""


class Encodes(Vectors, Protocol):
    """What a router needs of an encoder."""

    def tokenize(self, prompts: Sequence[str]) -> Tokens:
        """Token ids of N prompts."""


class Encoder:
    """Turns prompts into unit vectors; the same prompt gives the same vector whatever it is batched with."""

    __slots__ = ("_tokenizer", "_vectors", "digest", "spec")

    def __init__(self, *, spec: EncoderSpec, tokenizer: Tokenizer, vectors: Vectors, digest: str) -> None:
        self._tokenizer = tokenizer
        self._vectors = vectors
        self.spec = spec
        self.digest = digest
        """sha256 over the specification, the weights and the tokenizer."""

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> "Encoder":
        """The encoder of a folder with encoder.json, its weights and tokenizer.json.

        Args:
            threads: prompts that a graph encodes at a time; None: one a processor.

        Raises:
            FileNotFoundError: a file is missing.
            EncoderError: a file isn't what it should be.
        """
        spec = read_spec(folder)
        missing = [name for name in spec.files if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{folder / missing[0]}: the encoder is incomplete")
        return cls.from_files(spec, {name: (folder / name).read_bytes() for name in spec.files}, threads)

    @classmethod
    def from_files(cls, spec: EncoderSpec, files: Mapping[str, bytes], threads: int | None = None) -> "Encoder":
        """The encoder of files that are in memory, by name.

        Raises:
            EncoderError: a file isn't what it should be.
        """
        weights_name, tokenizer_name = spec.files
        try:
            tokenizer = Tokenizer(files[tokenizer_name].decode("utf-8"))
            vectors = _vectors(spec, files[weights_name], tokenizer, threads)
        except ImportError as error:
            raise EncoderError(
                f"the encoder is an ONNX graph, which needs onnxruntime ({error}): pip install 'pointsman[onnx]'"
            ) from None
        except Exception as error:
            # onnxruntime and safetensors have errors of their own, none of which a caller should have to know
            raise EncoderError(f"the encoder can't be loaded: {error}") from error
        return cls(spec=spec, tokenizer=tokenizer, vectors=vectors, digest=digest_of(spec, files))

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Tokens by id."""
        return self._tokenizer.vocabulary

    def tokenize(self, prompts: Sequence[str]) -> Tokens:
        """Token ids of each prompt, as far as it is read, see `lengths.READ_CHARACTERS`."""
        return self._tokenizer.tokenize(prompts)

    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (N, D)."""
        return self.encode_tokens(self.tokenize(prompts))

    def encode_tokens(self, tokens: Tokens) -> NDArray[np.float32]:
        """Unit vectors of prompts that are tokenised already, shape (N, D)."""
        return self._vectors.encode_tokens(tokens)


def digest_of(spec: EncoderSpec, files: Mapping[str, bytes]) -> str:
    """sha256 over the specification and the files, as hex."""
    digest = hashlib.sha256(json.dumps(spec.to_document(), sort_keys=True).encode())
    for name in spec.files:
        digest.update(files[name])
    return digest.hexdigest()


def read_spec(folder: Path) -> EncoderSpec:
    """What an encoder's folder says of itself.

    Raises:
        FileNotFoundError: it has no encoder.json.
        EncoderError: encoder.json isn't a specification.
    """
    path = folder / SPECIFICATION
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the encoder is incomplete")
    try:
        return EncoderSpec.from_document(json.loads(path.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{path}: {error}") from None


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of an encoder's folder alone: its weights aren't opened.

    Raises:
        FileNotFoundError: there is none.
        EncoderError: it can't be read.
    """
    path = folder / TOKENIZER
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the encoder is incomplete")
    try:
        return Tokenizer(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"{path}: {error}") from None


def _vectors(spec: EncoderSpec, weights: bytes, tokenizer: Tokenizer, threads: int | None) -> Vectors:
    if spec.kind == "static":
        static = StaticEncoder(safetensors.numpy.load(weights), spec)
        known = len(tokenizer.vocabulary)
        if known > static.vocabulary_size:
            raise ValueError(f"the tokenizer has {known} tokens, the encoder {static.vocabulary_size} vectors")
        return static
    from pointsman.text.onnx import OnnxEncoder  # noqa: PLC0415  # onnxruntime is loaded for graphs alone

    return OnnxEncoder(weights, spec, tokenizer, threads)

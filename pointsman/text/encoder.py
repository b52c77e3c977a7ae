"""The sentence encoder as a gateway runs it: onnxruntime and tokenizers alone.

Shapes: N prompts, D = 384 dimensions, E tokens of all prompts together.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

ENCODED_TOKENS = 256
"""MiniLM reads this many tokens; the rest of a prompt doesn't reach the embedding."""
MAX_CHARACTERS = 32_768
"""Characters of a prompt that are tokenised at all: bounds the work that one prompt can cause."""
DIMENSIONS = 384


# without slots, which leave no place for what is worked out once
@dataclass(frozen=True, kw_only=True, eq=False)
class Tokens:
    """Word-piece ids of N prompts, end to end, without special tokens."""

    indptr_N1: NDArray[np.int64]
    """Where each prompt's tokens start, and the end of the last, shape (N + 1,)."""
    token_E: NDArray[np.int32]

    @cached_property
    def length_N(self) -> NDArray[np.int32]:
        """Tokens of each prompt."""
        return (self.indptr_N1[1:] - self.indptr_N1[:-1]).astype(np.int32)

    def take(self, rows_K: NDArray[np.intp]) -> "Tokens":
        """The tokens of a choice of prompts, in its order."""
        length_K = self.length_N[rows_K].astype(np.int64)
        indptr_K1 = np.concatenate([[0], np.cumsum(length_K)])
        place_E = np.arange(indptr_K1[-1]) - np.repeat(indptr_K1[:-1] - self.indptr_N1[rows_K], length_K)
        return Tokens(indptr_N1=indptr_K1, token_E=self.token_E[place_E])


class Encoder:
    """Turns prompts into unit vectors; the same prompt gives the same vector whatever it is batched with."""

    def __init__(self, session: ort.InferenceSession, tokenizer: Tokenizer, digest: str, threads: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._threads = threads
        self.digest = digest
        """sha256 over the model and the tokeniser."""

    @classmethod
    def load(cls, folder: Path, threads: int | None = None) -> "Encoder":
        """The encoder of a folder with `encoder.onnx` and `tokenizer.json`.

        Args:
            threads: prompts encoded at a time; None: one a processor.

        Raises:
            FileNotFoundError: a file is missing.
        """
        model, vocabulary = folder / "encoder.onnx", folder / "tokenizer.json"
        for path in (model, vocabulary):
            if not path.is_file():
                raise FileNotFoundError(f"{path}: the encoder is incomplete")
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        data = model.read_bytes()
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        tokenizer = Tokenizer.from_str(vocabulary.read_text(encoding="utf-8"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(
            session,
            tokenizer,
            hashlib.sha256(data + vocabulary.read_bytes()).hexdigest(),
            threads or os.cpu_count() or 1,
        )

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Word pieces by id."""
        by_id = self._tokenizer.get_vocab(with_added_tokens=True)
        return tuple(sorted(by_id, key=by_id.__getitem__))

    def tokenize(self, prompts: Sequence[str]) -> Tokens:
        """Word-piece ids of all prompts, each cut at MAX_CHARACTERS."""
        encoded = self._tokenizer.encode_batch_fast([p[:MAX_CHARACTERS] for p in prompts], add_special_tokens=False)
        ids = [np.asarray(e.ids, dtype=np.int32) for e in encoded]
        lengths = np.fromiter((i.size for i in ids), dtype=np.int64, count=len(ids))
        token_E = np.concatenate(ids) if ids else np.zeros(0, dtype=np.int32)
        return Tokens(indptr_N1=np.concatenate([[0], np.cumsum(lengths)]), token_E=token_E)

    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (N, 384)."""
        return self.encode_tokens(self.tokenize(prompts))

    def encode_tokens(self, tokens: Tokens) -> NDArray[np.float32]:
        """Unit vectors of prompts that are tokenised already, shape (N, 384).

        Each prompt runs alone: an int8 model scales activations per tensor, so a batch would let prompts change each
        other's vectors, and without padding it is no slower.
        """
        kept_N = np.minimum(tokens.length_N, ENCODED_TOKENS - 2)
        first, last = self._tokenizer.token_to_id("[CLS]"), self._tokenizer.token_to_id("[SEP]")

        def encode_one(row: int) -> NDArray[np.float32]:
            start = tokens.indptr_N1[row]
            ids_1L = np.concatenate([[first], tokens.token_E[start : start + kept_N[row]], [last]])[None].astype(
                np.int64
            )
            output = self._session.run(None, {"input_ids": ids_1L, "attention_mask": np.ones_like(ids_1L)})
            return np.asarray(output[0][0], dtype=np.float32)

        if kept_N.size <= 1:
            rows = [encode_one(row) for row in range(kept_N.size)]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                rows = list(pool.map(encode_one, range(kept_N.size), chunksize=16))
        return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), dtype=np.float32)

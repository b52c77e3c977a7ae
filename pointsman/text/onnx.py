"""A sentence encoder as an ONNX graph. The only importer of onnxruntime at serve time.

Shapes: N prompts, L tokens of one prompt, D dimensions.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from pointsman.text.graph import check_operators
from pointsman.text.spec import EncoderSpec, Pooling
from pointsman.text.tokenizer import Tokenizer
from pointsman.text.tokens import Tokens

Floats32 = NDArray[np.float32]
_UNIT = 1e-5
"""How far from 1 the length of a graph's unit vector may be."""


class OnnxEncoder:
    """Turns prompts into unit vectors; the same prompt gives the same vector whatever it is batched with."""

    __slots__ = ("_after", "_before", "_inputs", "_output", "_session", "_threads", "spec")

    def __init__(self, graph: bytes, spec: EncoderSpec, tokenizer: Tokenizer, threads: int | None = None) -> None:
        """From the content of encoder.onnx.

        Args:
            threads: prompts encoded at a time; None: one a processor.

        Raises:
            ValueError: a graph that asks for other inputs than token ids or gives no such vectors, or special tokens
                that aren't in the vocabulary.
        """
        self._session, self._inputs, self._output = _open(graph, spec.pooling)
        self._before, self._after = (
            np.array([tokenizer.id_of(token) for token in side], dtype=np.int64) for side in (spec.before, spec.after)
        )
        self._threads = threads or os.cpu_count() or 1
        self.spec = spec

    def encode_tokens(self, tokens: Tokens) -> Floats32:
        """Unit vectors, shape (N, D).

        Each prompt runs alone: an int8 model scales activations per tensor, so a batch would let prompts change each
        other's vectors, and without padding it is no slower.

        Raises:
            ValueError: the graph gives vectors of another dimension than the specification's.
        """
        rows = tokens.length_N.size
        if rows <= 1:
            vectors = [self._encode(tokens, row) for row in range(rows)]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                vectors = list(pool.map(lambda row: self._encode(tokens, row), range(rows), chunksize=16))
        return np.stack(vectors) if vectors else np.zeros((0, self.spec.dimension), dtype=np.float32)

    def _encode(self, tokens: Tokens, row: int) -> Floats32:
        start, end = int(tokens.indptr_N1[row]), int(tokens.indptr_N1[row + 1])
        if self.spec.longest_prompt is not None:
            end = min(end, start + self.spec.longest_prompt)
        vector_D: Floats32 = self.encode_alike(tokens.token_E[None, start:end])[0]
        return vector_D

    def encode_alike(self, token_NL: NDArray[np.int32]) -> Floats32:
        """Unit vectors of N prompts of one length, without special tokens, shape (N, D), all in one batch.

        Short prompts take a sixth of the time that they take alone, but an int8 graph's vectors depend on what is
        beside them, about as much as they depend on its being int8.
        """
        rows = len(token_NL)
        sides = [np.tile(side, (rows, 1)) for side in (self._before, self._after)]
        ids_NL = np.concatenate([sides[0], token_NL, sides[1]], axis=1).astype(np.int64)
        if ids_NL.size == 0:
            return np.zeros((rows, self.spec.dimension), dtype=np.float32)
        fed = {"input_ids": ids_NL, "attention_mask": np.ones_like(ids_NL), "token_type_ids": np.zeros_like(ids_NL)}
        (output,) = self._session.run([self._output], {name: fed[name] for name in self._inputs})
        found = np.asarray(output, dtype=np.float32)
        vector_ND: Floats32 = found
        if self.spec.pooling != "sentence":
            vector_ND = found[:, 0] if self.spec.pooling == "first" else np.asarray(found.mean(axis=1))
        if vector_ND.shape != (rows, self.spec.dimension):
            raise ValueError(f"the graph gives vectors of shape {vector_ND.shape}, not {self.spec.dimension} numbers")
        # a sentence graph scales by itself, and dividing again would change its last bits
        if self.spec.pooling == "sentence":
            return vector_ND
        length_N1 = np.sqrt(np.einsum("nd,nd->n", vector_ND, vector_ND))[:, None]
        # dividing a unit vector again would change its last bits
        unit_N1 = (length_N1 == 0) | (np.abs(length_N1 - 1) < _UNIT)
        return np.asarray(np.where(unit_N1, vector_ND, vector_ND / np.where(unit_N1, 1, length_N1)), dtype=np.float32)


def dimension_of(graph: bytes, pooling: Pooling) -> int:
    """Of the vectors that a graph gives, found by running it on one token.

    Raises:
        ValueError: as `OnnxEncoder`.
    """
    session, inputs, output = _open(graph, pooling)
    one = np.ones((1, 1), dtype=np.int64)
    return int(session.run([output], dict.fromkeys(inputs, one))[0].shape[-1])


def _open(graph: bytes, pooling: Pooling) -> tuple[ort.InferenceSession, tuple[str, ...], str]:
    """A session, the names of its inputs, and of the output that the pooling reads."""
    check_operators(graph)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    inputs = tuple(entry.name for entry in session.get_inputs())
    if "input_ids" not in inputs or set(inputs) - {"input_ids", "attention_mask", "token_type_ids"}:
        raise ValueError(f"the graph asks for {', '.join(inputs)}; want input_ids and attention_mask")
    axes = 2 if pooling == "sentence" else 3
    fitting = [entry.name for entry in session.get_outputs() if len(entry.shape) == axes]
    if not fitting:
        raise ValueError(f"the graph has no output of {axes} axes, which pooling {pooling!r} reads")
    return session, inputs, fitting[0]

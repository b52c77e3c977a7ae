"""Encoders that people bring, each against the library that made it."""

import json

import numpy as np
import onnx
import pytest
import safetensors.numpy
import tokenizers
import torch
from onnx import TensorProto, helper, numpy_helper
from transformers import AutoModel, BertConfig, BertModel

from components.embeddings.folders import import_encoder, special_tokens
from pointsman.text.encoder import Encoder, EncoderError

TEXTS = ["how are you", "東京 タワー", "كيف حالك", "İyi günler", "👩‍🚀 how", "", "how " * 40]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "how", "are", "you", "東", "京", "ا", "ل", "ك", "i", "##y", "##i", "タ"]


def bert_tokenizer():
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordPiece({word: row for row, word in enumerate(PIECES)}, unk_token="[UNK]")
    )
    inner.normalizer = tokenizers.normalizers.BertNormalizer()
    inner.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    inner.add_special_tokens(PIECES[:4])
    return inner


def unit(rows):
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


@pytest.fixture(scope="module")
def sentence_folder(tmp_path_factory):
    """A tiny multilingual sentence-transformers folder, as its library writes it."""
    folder = tmp_path_factory.mktemp("sentence") / "tiny"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": row, "name": str(row), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for row, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 12}))
    pooling(folder, "mean_tokens")
    return folder


def pooling(folder, mode):
    (folder / "1_Pooling").mkdir(exist_ok=True)
    flags = {f"pooling_mode_{name}": name == mode for name in ("cls_token", "mean_tokens", "max_tokens")}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **flags}))


def by_torch(folder, first):
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), bert_tokenizer()
    tokenizer.enable_truncation(12)
    rows = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0]
        rows.append((hidden[0] if first else hidden.mean(dim=0)).numpy())
    return unit(np.stack(rows))


@pytest.mark.parametrize("mode", ["mean_tokens", "cls_token"])
def test_a_sentence_transformers_folder(sentence_folder, tmp_path, mode):
    pooling(sentence_folder, mode)
    spec = import_encoder(sentence_folder, tmp_path)
    assert (spec.before, spec.after, spec.longest_input, spec.dimension) == (("[CLS]",), ("[SEP]",), 12, 16)
    expected = by_torch(sentence_folder, first=mode == "cls_token")
    np.testing.assert_allclose(Encoder.load(tmp_path).encode(TEXTS), expected, atol=1e-5)


def test_modules_that_are_not_known_are_named(sentence_folder, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    kinds = ["Transformer", "Pooling", "Dense"]
    (copy / "modules.json").write_text(json.dumps([{"type": f"x.{kind}", "path": kind} for kind in kinds]))
    with pytest.raises(
        EncoderError, match=r"modules\.json: want Transformer, Pooling.* got Transformer, Pooling, Dense"
    ):
        import_encoder(copy, tmp_path / "to")


@pytest.fixture
def graph_folder(tmp_path):
    """An ONNX folder whose graph gives a vector a token."""
    folder = tmp_path / "graph"
    folder.mkdir()
    vectors_VD = np.random.default_rng(0).normal(size=(len(PIECES), 8)).astype(np.float32)
    names = ("input_ids", "attention_mask", "token_type_ids")
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])],
        "tokens",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "l"]) for name in names],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["n", "l", 8])],
        [numpy_helper.from_array(vectors_VD, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 10}))
    return folder, vectors_VD


def test_an_onnx_folder(graph_folder, tmp_path):
    folder, vectors_VD = graph_folder
    spec = import_encoder(folder, tmp_path / "to")
    assert (spec.pooling, spec.dimension, spec.longest_input) == ("mean", 8, 10)
    tokenizer = bert_tokenizer()
    tokenizer.enable_truncation(10)
    expected = unit(np.stack([vectors_VD[tokenizer.encode(text).ids].mean(axis=0) for text in TEXTS]))
    np.testing.assert_allclose(Encoder.load(tmp_path / "to").encode(TEXTS), expected, atol=1e-6)
    again = import_encoder(tmp_path / "to", tmp_path / "again")
    assert again == spec
    assert Encoder.load(tmp_path / "again").digest == Encoder.load(tmp_path / "to").digest


def model2vec_folder(folder, vectors, **more):
    """The form that model2vec 0.10 writes."""
    folder.mkdir()
    safetensors.numpy.save_file({"embeddings": vectors, **more}, folder / "model.safetensors")
    bert_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    return folder


def by_model2vec(vectors_VD, text):
    """Mean of the token vectors without unknown tokens, to length one (model2vec.StaticModel.encode)."""
    ids = [token for token in bert_tokenizer().encode(text, add_special_tokens=False).ids if token != 1]
    return unit(vectors_VD[ids].mean(axis=0)) if ids else np.zeros(vectors_VD.shape[1])


def test_a_model2vec_folder(tmp_path):
    vectors_VD = np.random.default_rng(1).normal(size=(len(PIECES), 32)).astype(np.float32)
    spec = import_encoder(model2vec_folder(tmp_path / "plain", vectors_VD.astype(np.float16)), tmp_path / "to")
    assert (spec.kind, spec.dimension, spec.longest_input) == ("static", 32, None)
    expected = np.stack([by_model2vec(vectors_VD, text) for text in TEXTS])
    np.testing.assert_allclose(Encoder.load(tmp_path / "to").encode(TEXTS), expected, atol=0.02)


def test_a_model2vec_folder_with_a_quantised_vocabulary(tmp_path):
    rng = np.random.default_rng(2)
    vectors, mapping = rng.normal(size=(5, 32)).astype(np.float32), rng.integers(0, 5, size=len(PIECES))
    weights = rng.random(len(PIECES)).astype(np.float32) + 0.1
    import_encoder(model2vec_folder(tmp_path / "small", vectors, mapping=mapping, weights=weights), tmp_path / "to")
    expected = np.stack([by_model2vec(vectors[mapping] * weights[:, None], text) for text in TEXTS])
    np.testing.assert_allclose(Encoder.load(tmp_path / "to").encode(TEXTS), expected, atol=0.02)


def test_a_megabyte_in_any_script(tmp_path):
    vectors_VD = np.random.default_rng(3).normal(size=(len(PIECES), 4)).astype(np.float32)
    import_encoder(model2vec_folder(tmp_path / "plain", vectors_VD), tmp_path / "to")
    encoder = Encoder.load(tmp_path / "to")
    for text in ("how are you ", "東京タワー", "مرحبا ", "İyi günler ", "👩‍🚀 "):
        long = text * (1_000_000 // len(text.encode()) + 1)
        (vector,) = encoder.encode([long])
        np.testing.assert_allclose(vector, encoder.encode([text])[0], atol=1e-3)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no known encoder: want a sentence-transformers folder"),
        ({"modules.json": b"[", "x": b""}, r"modules\.json: Expecting value"),
        ({"model.safetensors": b"x", "tokenizer.json": b"{}"}, r"model\.safetensors: "),
        ({"model.onnx": b"x"}, r"tokenizer\.json: there is no such file"),
        ({"encoder.json": b"{}"}, r"encoder\.json: an encoder's specification has"),
    ],
)
def test_what_is_no_encoder_is_named(tmp_path, files, said):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EncoderError, match=said):
        import_encoder(tmp_path, tmp_path / "to")
    with pytest.raises(EncoderError, match="no such folder: an encoder is auto, static"):
        import_encoder(tmp_path / "missing", tmp_path / "to")


def test_vectors_of_another_vocabulary_are_refused(tmp_path):
    folder = model2vec_folder(tmp_path / "m", np.ones((3, 4), np.float32))
    with pytest.raises(EncoderError, match="3 vectors don't fit the 16 tokens"):
        import_encoder(folder, tmp_path / "to")


def test_special_tokens_are_read_from_the_tokenizer():
    assert special_tokens(bert_tokenizer().to_str()) == (("[CLS]",), ("[SEP]",))
    plain = bert_tokenizer()
    plain.post_processor = tokenizers.processors.TemplateProcessing(single="$A", special_tokens=[])
    assert special_tokens(plain.to_str()) == ((), ())

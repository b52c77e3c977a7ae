import pytest

from pointsman.text.spec import EncoderSpec

GRAPH = {
    "name": "m", "kind": "onnx", "dimension": 8, "pooling": "sentence",
    "before": ["[CLS]"], "after": ["[SEP]"], "longest_input": 256,
}  # fmt: skip


def test_a_document_comes_back():
    spec = EncoderSpec.from_document(GRAPH)
    assert spec.to_document() == GRAPH
    assert spec.longest_prompt == 254
    assert spec.files == ("encoder.onnx", "tokenizer.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "torch"}, "kind is one of static, onnx, got 'torch'"),
        ({"pooling": "max"}, "pooling is one of"),
        ({"dimension": 0}, "dimension must be"),
        ({"dimension": "384"}, "dimension must be"),
        ({"dimension": True}, "dimension must be"),
        ({"longest_input": 2}, "leave room"),
        ({"longest_input": "all"}, "longest_input must be"),
        ({"before": "[CLS]"}, "before must be a list"),
        ({"name": None}, "name is a text"),
        ({"kind": "static"}, "static encoder is the mean"),
        ({"more": 1}, "an encoder's specification has name, kind"),
    ],
)
def test_other_documents_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        EncoderSpec.from_document({**GRAPH, **change})


def test_no_object_is_refused():
    with pytest.raises(ValueError, match="specification has"):
        EncoderSpec.from_document([])

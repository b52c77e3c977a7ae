import numpy as np

from components.embeddings.distil import DistilConfig
from components.embeddings.static_folder import distil_folder, refitted, token_vectors
from pointsman.text.encoder import Encoder
from tests.fixtures.tiny_router import PROMPTS, WORDS


def test_a_token_alone_is_encoded_as_its_word(parts):
    encoder = Encoder.load(parts.encoder_folder, threads=1)
    vectors_VD = token_vectors(parts.encoder_folder)
    assert vectors_VD.shape == (len(WORDS), 24)
    np.testing.assert_array_equal(vectors_VD[WORDS.index("poem")], encoder.encode(["poem"])[0])


def test_a_distilled_folder_reads_the_same_tokens(parts, tmp_path):
    sentence = Encoder.load(parts.encoder_folder, threads=1)
    start_VD, teacher_ND = token_vectors(parts.encoder_folder), sentence.encode(PROMPTS)
    spec = distil_folder(parts.encoder_folder, PROMPTS, teacher_ND, start_VD, DistilConfig(), tmp_path)
    static = Encoder.load(tmp_path)
    assert (spec.name, spec.kind) == ("tiny, distilled", "static")
    assert static.vocabulary == sentence.vocabulary
    assert (static.encode(PROMPTS) * teacher_ND).sum(axis=1).min() > 0.8


def test_an_encoder_refitted_on_all_prompts_is_the_folder(parts, tmp_path):
    sentence = Encoder.load(parts.encoder_folder, threads=1)
    start_VD, teacher_ND = token_vectors(parts.encoder_folder), sentence.encode(PROMPTS)
    distil_folder(parts.encoder_folder, PROMPTS, teacher_ND, start_VD, DistilConfig(), tmp_path)
    again = refitted(parts.encoder_folder, sentence.tokenize(PROMPTS), teacher_ND, start_VD, DistilConfig())
    np.testing.assert_array_equal(again(np.arange(len(PROMPTS))), Encoder.load(tmp_path).encode(PROMPTS))
    assert not np.array_equal(again(np.arange(3)), again(np.arange(6)))

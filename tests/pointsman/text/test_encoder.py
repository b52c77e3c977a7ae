import numpy as np
import pytest

from pointsman.text.encoder import Encoder
from pointsman.text.tokens import Tokens

PROMPTS = ["What is 2 + 2?", "Übersetze: guten Morgen", "SELECT * FROM t", "a " * 600, "?"]


def test_rows_are_unit_vectors(encoder):
    np.testing.assert_allclose(np.linalg.norm(encoder.encode(PROMPTS), axis=1), 1, atol=1e-5)


def test_a_prompt_does_not_depend_on_its_company(encoder):
    together = encoder.encode(PROMPTS)
    alone = np.vstack([encoder.encode([prompt]) for prompt in PROMPTS])
    np.testing.assert_array_equal(together, alone)


def test_meaning_is_nearer_than_noise(encoder):
    a, b, c = encoder.encode(["How do I cook rice?", "What is the way to boil rice?", "Prove Fermat's little theorem."])
    assert a @ b > a @ c + 0.2


def test_tokens_lie_end_to_end(encoder):
    tokens = encoder.tokenize(["one two three", "", "four"])
    assert tokens.length_N.tolist() == [3, 0, 1]
    assert [encoder.vocabulary[i] for i in tokens.token_E] == ["one", "two", "three", "four"]


def test_no_prompts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_a_huge_prompt_is_encoded_by_its_start(encoder):
    tokens = encoder.tokenize(["x " * 500_000, "x " * 254])
    assert tokens.length_N[0] == 32_768
    whole, start = encoder.encode_tokens(tokens)
    np.testing.assert_array_equal(whole, start)


def test_an_incomplete_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"encoder\.json: the encoder is incomplete"):
        Encoder.load(tmp_path)


def test_a_choice_of_prompts_keeps_their_tokens():
    tokens = Tokens(indptr_N1=np.array([0, 2, 2, 5]), token_E=np.array([7, 8, 1, 2, 3], dtype=np.int32))
    chosen = tokens.take(np.array([2, 1, 0, 2]))
    assert chosen.length_N.tolist() == [3, 0, 2, 3]
    assert chosen.token_E.tolist() == [1, 2, 3, 7, 8, 1, 2, 3]

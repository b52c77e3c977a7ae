import numpy as np
import pytest

from pointsman.text.spec import EncoderSpec
from pointsman.text.static import StaticEncoder, quantise
from pointsman.text.tokens import Tokens

V, D = 500, 12
VECTOR_VD = np.random.default_rng(0).normal(size=(V, D)).astype(np.float32)
VECTOR_VD[3] = 0


def spec(**changed):
    return EncoderSpec(**{"name": "x", "kind": "static", "dimension": D, "pooling": "mean", **changed})


def tokens(*rows):
    lengths = np.array([len(row) for row in rows])
    flat = [token for row in rows for token in row]
    return Tokens(indptr_N1=np.concatenate([[0], np.cumsum(lengths)]), token_E=np.array(flat, dtype=np.int32))


def drawn(seed, *lengths):
    return tokens(*(np.random.default_rng(seed + i).integers(0, V, size=n).tolist() for i, n in enumerate(lengths)))


@pytest.fixture
def encoder():
    return StaticEncoder(quantise(VECTOR_VD), spec())


def test_a_prompt_is_the_direction_of_its_tokens_sum(encoder):
    some = drawn(1, 7, 0, 1, 300, 5000, 2, 256, 257)
    arrays = quantise(VECTOR_VD)
    vectors = arrays["row_VD"].astype(np.float64) * arrays["scale_V"][:, None]
    found = encoder.encode_tokens(some)
    for row in range(some.length_N.size):
        total = vectors[some.take(np.array([row])).token_E].sum(axis=0)
        np.testing.assert_allclose(found[row], total / max(np.linalg.norm(total), 1e-9), atol=2e-6)


def test_quantised_rows_are_near(encoder):
    arrays = quantise(VECTOR_VD)
    assert np.abs(arrays["row_VD"] * arrays["scale_V"][:, None] - VECTOR_VD).max() < np.abs(VECTOR_VD).max() / 250


def test_a_prompt_does_not_depend_on_its_company(encoder):
    some = drawn(2, *range(0, 400, 7), 3000)
    together = encoder.encode_tokens(some)
    alone = np.vstack([encoder.encode_tokens(some.take(np.array([row]))) for row in range(some.length_N.size)])
    np.testing.assert_array_equal(together, alone)


def test_nothing_known_is_the_zero_vector(encoder):
    np.testing.assert_array_equal(encoder.encode_tokens(tokens([], [3, 3])), np.zeros((2, D)))
    assert encoder.encode_tokens(tokens()).shape == (0, D)


def test_a_longest_input_cuts(encoder):
    some = drawn(3, 50, 4)
    short = StaticEncoder(quantise(VECTOR_VD), spec(longest_input=10))
    np.testing.assert_array_equal(short.encode_tokens(some), encoder.encode_tokens(some.cut(10)))


def test_a_token_without_a_vector_is_refused(encoder):
    with pytest.raises(ValueError, match="token 500 is beyond the vocabulary of 500"):
        encoder.encode_tokens(tokens([500]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row_VD": np.zeros((V, D), np.int16)}, "int8 rows"),
        ({"row_VD": np.zeros((V, D + 1), np.int8)}, "don't fit the dimension"),
        ({"scale_V": np.zeros(V - 1, np.float32)}, "don't fit the dimension"),
        ({"scale_V": np.full(V, np.nan, np.float32)}, "finite"),
        ({"more": np.zeros(1)}, "row_VD and scale_V, got"),
    ],
)
def test_other_arrays_are_refused(change, said):
    with pytest.raises(ValueError, match=said):
        StaticEncoder({**quantise(VECTOR_VD), **change}, spec())

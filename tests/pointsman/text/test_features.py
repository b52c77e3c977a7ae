import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer

from components.embeddings.feature_fit import FeatureConfig, fit_features
from pointsman.text.tokens import Tokens

VOCABULARY = ("alpha", "beta", "7", "+", "##ing", "gamma", "(", "é")


def tokens_of(*rows):
    return Tokens(
        indptr_N1=np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64),
        token_E=np.array([t for r in rows for t in r], dtype=np.int32),
    )


TRAIN = tokens_of([0, 0, 1, 2], [1, 2, 3, 5], [0, 3, 5, 5, 5], [4, 6, 0, 1], [])


def test_lexical_part_is_projected_tfidf():
    fitted = fit_features(TRAIN, VOCABULARY, FeatureConfig(lexical_rank=3, lexical_weight=1, minimum_prompts=1))
    counts = np.zeros((5, len(VOCABULARY)))
    rows = np.repeat(np.arange(5), TRAIN.length_N)
    np.add.at(counts, (rows, TRAIN.token_E), 1)
    tfidf = TfidfTransformer(sublinear_tf=True).fit_transform(counts).toarray()
    right = np.linalg.svd(tfidf, full_matrices=False)[2][:3]
    lexical = fitted.transform(np.zeros((5, 2), dtype=np.float32), TRAIN)[:, 2:5]
    # singular vectors are unique up to sign
    np.testing.assert_allclose(np.abs(lexical), np.abs(tfidf @ right.T), atol=1e-5)


def test_surface_counts_classes():
    fitted = fit_features(TRAIN, VOCABULARY, FeatureConfig(lexical_rank=1, surface_weight=1, minimum_prompts=1))
    surface = fitted.transform(np.zeros((5, 0), dtype=np.float32), TRAIN)[:, 1:]
    lengths = np.log1p(TRAIN.length_N)
    np.testing.assert_allclose(surface[:, 0], (lengths - lengths.mean()) / lengths.std(), rtol=1e-4)
    digits = np.array([1 / 4, 1 / 4, 0, 0, 0])
    np.testing.assert_allclose(surface[:, 1], (digits - digits.mean()) / digits.std(), rtol=1e-4)


def test_a_prompt_does_not_depend_on_its_company():
    fitted = fit_features(TRAIN, VOCABULARY, FeatureConfig(lexical_rank=2, minimum_prompts=1))
    embedding_ND = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    together = fitted.transform(embedding_ND, TRAIN)
    for row in range(5):
        alone = fitted.transform(embedding_ND[row : row + 1], TRAIN.take(np.array([row])))
        np.testing.assert_allclose(alone[0], together[row], rtol=1e-5, atol=1e-6)
        assert alone.dtype == together.dtype == np.float32


def test_what_does_not_fit_is_refused():
    fitted = fit_features(TRAIN, VOCABULARY, FeatureConfig(lexical_rank=2))
    with pytest.raises(ValueError, match="3 embeddings for 1 tokenised prompts"):
        fitted.transform(np.zeros((3, 2), dtype=np.float32), tokens_of([0]))
    with pytest.raises(ValueError, match="token 99 is beyond the vocabulary of 8"):
        fitted.transform(np.zeros((1, 2), dtype=np.float32), tokens_of([99]))
    with pytest.raises(ValueError, match="token 99 is beyond the vocabulary of 8"):
        fitted.transform(np.zeros((2, 2), dtype=np.float32), tokens_of([0], [99]))

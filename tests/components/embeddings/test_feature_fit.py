import numpy as np
import pytest

from components.embeddings.feature_fit import FeatureConfig, fit_features
from pointsman.text.tokens import Tokens

NONE = Tokens(indptr_N1=np.zeros(1, dtype=np.int64), token_E=np.zeros(0, dtype=np.int32))


def test_no_prompts_are_refused():
    with pytest.raises(ValueError, match="at least one training prompt"):
        fit_features(NONE, ("a",), FeatureConfig())


@pytest.mark.parametrize("wrong", [{"lexical_rank": 0}, {"minimum_prompts": 0}])
def test_illegal_counts_are_refused(wrong):
    with pytest.raises(ValueError, match="must be >= 1"):
        FeatureConfig(**wrong)


def test_illegal_weights_are_refused():
    with pytest.raises(ValueError, match="weights must be >= 0"):
        FeatureConfig(surface_weight=-1)


def test_the_same_seed_gives_the_same_map(encoder):
    tokens = encoder.tokenize(["count the apples", "sort the list", "apples and pears", "list of pears"])
    first, second = (fit_features(tokens, encoder.vocabulary, FeatureConfig(seed=3)) for _ in range(2))
    np.testing.assert_array_equal(first.lexical_VL, second.lexical_VL)

"""The common block: closed cases, completeness, and its error."""

import numpy as np
import pytest

from components.evaluation.block import common_block


def test_complete_outcomes_are_kept_whole():
    block = common_block(np.ones((4, 3), bool))
    np.testing.assert_array_equal(block.rows_K, range(4))
    np.testing.assert_array_equal(block.columns_C, range(3))


def test_a_rarely_observed_candidate_is_left_out():
    observed = np.ones((10, 4), bool)
    observed[2:, 1] = False
    np.testing.assert_array_equal(common_block(observed).columns_C, [0, 2, 3])
    assert 1 in common_block(observed, required=(1,)).columns_C


def test_the_block_is_complete_and_no_smaller_than_all_candidates_allow():
    observed = np.random.default_rng(0).random((200, 8)) < 0.8
    block = common_block(observed)
    assert observed[np.ix_(block.rows_K, block.columns_C)].all()
    assert block.rows_K.size * block.columns_C.size >= 8 * observed.all(axis=1).sum()


def test_no_common_prompt_is_refused():
    with pytest.raises(ValueError, match="no common prompts"):
        common_block(np.eye(3, dtype=bool))

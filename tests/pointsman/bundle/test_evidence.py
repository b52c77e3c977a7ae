"""Evidence that bundles carry: counts, digests without texts, and held-out choices."""

import numpy as np
import pytest

from pointsman.bundle.evidence import CHOICE, UNJUDGED, Evidence, no_evidence, prompt_digests


def evidence(prompts, choices, counts=((3, 0), (1, 2))):
    digests = prompt_digests(prompts)
    order = np.argsort(digests)
    return Evidence(
        count_TM=np.array(counts),
        count_M=np.array(counts).sum(axis=0),
        digest_K=digests[order],
        held_choice_K=np.array(choices)[order],
    )


def test_a_prompt_is_known_again_however_it_is_spaced_and_cased():
    known = evidence(["What is 2+2?", "Sing!", "é"], [1, 0, 1])
    again = prompt_digests([" what is  2+2?\n", "e\u0301", "Something else"])
    assert known.seen(again).tolist() == [True, True, False]
    assert known.held_choices(again).tolist() == [1, 1, UNJUDGED]


def test_digests_are_compared_as_they_are_however_far_apart():
    """The difference of two of them may be more than 63 bits hold."""
    digest_K = np.array([0, 1, 2**63, 2**64 - 1], dtype=np.uint64)
    choice_K = np.array([0, 1, 0, 1], dtype=CHOICE)
    known = Evidence(count_TM=np.ones((1, 2), int), count_M=np.ones(2, int), digest_K=digest_K, held_choice_K=choice_K)
    assert known.held_choices(digest_K[::-1]).tolist() == [1, 0, 1, 0]


def test_candidates_are_supported_where_they_have_outcomes():
    known = evidence(["a"], [0])
    tasks = np.array([0, 1, -1], dtype=np.int32)
    assert known.supported(tasks).tolist() == [[True, False], [True, True], [True, True]]
    assert evidence(["a"], [0], counts=((1, 1), (1, 2))).supported(tasks) is None


def test_nothing_known_supports_all_and_has_seen_nothing():
    nothing = no_evidence(2, 3)
    assert nothing.supported(np.array([0, -1], dtype=np.int32)) is None
    assert nothing.seen(prompt_digests(["a"])).tolist() == [False]
    assert nothing.held_choices(prompt_digests(["a"])).tolist() == [UNJUDGED]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count_M": np.ones(3, dtype=np.int64)}, "counts"),
        ({"digest_K": np.array([2, 1], dtype=np.uint64), "held_choice_K": np.zeros(2, dtype=np.int64)}, "ascending"),
        ({"digest_K": np.array([2], dtype=np.int64)}, "uint64"),
        ({"held_choice_K": np.zeros(4, dtype=np.int64)}, "digests"),
        ({"held_choice_K": np.array([2], dtype=np.int64)}, "must be in"),
        ({"held_choice_K": np.array([0.0])}, "whole numbers"),
        ({"count_TM": np.array([[-1, 0], [0, 0]])}, ">= 0"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    good = {
        "count_TM": np.ones((2, 2), dtype=np.int64),
        "count_M": np.ones(2, dtype=np.int64),
        "digest_K": np.array([7], dtype=np.uint64),
        "held_choice_K": np.array([1]),
    }
    with pytest.raises(ValueError, match=message):
        Evidence(**{**good, **changes})

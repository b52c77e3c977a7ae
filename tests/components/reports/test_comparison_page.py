"""The page of a comparison: its sentences, and the router against each rival over all blocks."""

import numpy as np
import pytest

from components.evaluation.bootstrap import paired_difference
from components.reports.comparison import over_blocks
from components.reports.comparison_page import markdown, page, standing
from tests.fixtures.pages import block


def test_the_mean_over_blocks_is_that_of_a_bootstrap_within_each_block():
    rng = np.random.default_rng(0)
    gap = [rng.normal(mean, spread, size) for mean, spread, size in ((0.02, 0.4, 900), (-0.01, 0.2, 400))]
    report = {
        str(b): {"router_less": {"knn": paired_difference(g, np.zeros(g.size), 0).as_list()}} for b, g in enumerate(gap)
    }
    mean, low, high = over_blocks(report)["knn"]
    drawn = sum(rng.choice(g, (4000, g.size)).mean(axis=1) for g in gap) / 2
    assert mean == pytest.approx(np.mean([g.mean() for g in gap]))
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.002)


def test_only_rivals_of_every_block_count_and_the_nearest_comes_first():
    one = {"router_less": {"far": [0.03, 0.02, 0.04], "near": [0.0, -0.01, 0.01], "here": [0.1, 0.1, 0.1]}}
    two = {"router_less": {"near": [0.01, 0.0, 0.02], "far": [0.05, 0.04, 0.06]}}
    assert list(over_blocks({"one": one, "two": two})) == ["near", "far"]
    assert over_blocks({}) == {}


def test_each_sentence_stands_once_and_several_blocks_have_a_table_together():
    report = {"one": block(0), "two": block(1)}
    text, html = markdown(report), page(report, {})
    for shown in (text, html):
        assert shown.count("At a price chosen without the test prompts") == 2
        assert "The router against each rival, mean over blocks" in shown
    assert standing(report["one"]) in text
    assert "mean over blocks" not in markdown({"one": block(0)})

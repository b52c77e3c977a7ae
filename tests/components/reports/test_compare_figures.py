"""Each figure is well-formed, the same each time, and shows the figures it was given."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from components.reports.compare_figures import ablation, frontier_all, regret_per_benchmark, reliability

EVIL = "<script>alert('x')</script> $\\frac$ & \"q\""
CURVES = {
    "router": [(1.0, 0.5), (2.0, 0.8), (3.0, 0.7)],
    "knn100": [(1.0, 0.5), (3.0, 0.7), (float("nan"), 0.9)],
    EVIL: [(1.0, 0.4)],
    "unpriced": [(float("nan"), 0.9)],
}
POINTS = {"oracle": (1.5, 0.9), "best_single": (3.0, 0.7)}
REGRET = {
    "router": {"arc": 0.1, "gsm8k": 0.2},
    "best_single": {"arc": 0.2, "gsm8k": 0.3},
    "knn100": {"arc": 0.15},
    EVIL: {"gsm8k": 0.25},
}
SCORES = {
    "llmrouter": {"router": (0.66, 0.65, 0.67), "stage 1 only": (0.65, 0.64, 0.66), EVIL: (0.6, 0.5, 0.7)},
    "mmlu-pro": {"router": (0.74, 0.73, 0.75)},
}


@pytest.fixture(scope="module")
def outcomes():
    draw = np.random.default_rng(0)
    predicted_NM = draw.random((400, 7))
    quality_NM = (draw.random((400, 7)) < predicted_NM).astype(float)
    quality_NM[draw.random((400, 7)) < 0.2] = np.nan
    quality_NM[:, 2] = np.nan
    return predicted_NM, quality_NM, [f"model-{m}" for m in range(6)] + [EVIL]


def drawn(svg):
    """Texts of a figure, which matplotlib keeps as comments beside their outlines."""
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    return re.findall(r"<!-- (.*?) -->", svg, flags=re.DOTALL)


def test_figures_are_the_same_each_time(outcomes):
    for draw in (
        lambda: frontier_all(CURVES, POINTS),
        lambda: regret_per_benchmark(REGRET, {"arc": 3, "gsm8k": 4}),
        lambda: reliability(*outcomes, raw_NM=outcomes[0] ** 2),
        lambda: ablation(SCORES),
    ):
        assert draw() == draw()


def test_the_frontier_names_priced_methods_best_first_and_every_point():
    texts = drawn(frontier_all(CURVES, POINTS))
    assert "unpriced" not in texts
    assert texts.index("router") < texts.index("knn100")
    assert {"oracle", "best_single"} <= set(texts)
    assert frontier_all({"unpriced": CURVES["unpriced"]}, POINTS) is None


def test_benchmarks_are_ordered_by_what_the_best_single_loses():
    texts = drawn(regret_per_benchmark(REGRET, {"arc": 3, "gsm8k": 4}))
    assert texts.index("arc (3)") < texts.index("gsm8k (4)")
    assert texts.count("other methods") == 1
    many = {f"b{n:02d}": float(n) for n in range(40)}
    texts = drawn(regret_per_benchmark({"router": dict.fromkeys(many, 0.1)}, many))
    assert sum(text.startswith("b") for text in texts) == 24
    assert "b39 (39)" in texts
    assert regret_per_benchmark({}, many) is None


def test_each_candidates_error_is_that_of_a_loop(outcomes):
    predicted_NM, quality_NM, models = outcomes
    texts = drawn(reliability(predicted_NM, quality_NM, models))
    for m in (0, 1, 3, 4, 5):
        cells = [(p, q) for p, q in zip(predicted_NM[:, m], quality_NM[:, m], strict=True) if np.isfinite(q)]
        gaps = []
        for bin_ in range(10):
            inside = [(p, q) for p, q in cells if bin_ == min(int(10 * p), 9)]
            gaps.append(abs(sum(p - q for p, q in inside)) if inside else 0.0)
        assert any(f"{models[m]}" in text for text in texts)
        assert any(f"ECE {sum(gaps) / len(cells):.3f}" in text for text in texts)
    assert not any("model-2" in text for text in texts)
    assert reliability(predicted_NM, np.full_like(quality_NM, np.nan), models) is None


def test_variants_read_in_their_order_in_a_panel_a_block():
    texts = drawn(ablation(SCORES))
    assert {"llmrouter", "mmlu-pro"} <= set(texts)
    # Rows are counted from below.
    assert texts.index("stage 1 only") < texts.index("router")
    assert ablation({"empty": {}}) is None

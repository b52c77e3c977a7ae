import math

from components.tracking.run_figures import flat, log_children, numbers, report_metrics, slug

REPORT = {
    "methods": {
        "router": {"quality": [0.6, 0.5, 0.7], "regret": 0.1, "aiq": None, "per_benchmark": {"a": {"quality": 0.1}}},
        "best_single": {"quality": [0.5, 0.4, 0.6], "regret": 0.2, "aiq": None},
    },
    "operating": {
        "quality": [0.6, 0.5, 0.7],
        "gain": [0.1, -0.1, 0.2],
        "cost_ratio": [0.4, 0.3, 0.5],
        "effective_sample_size": 120,
        "best_single": {"name": "a", "quality": 0.5},
    },
    "discovery": {"method": "graph", "tasks": 7, "planted_ari": None},
    "gate": {
        "criteria": [
            {"name": "expected calibration error", "figure": 0.03, "threshold": 0.1, "passed": True},
            {"name": "leave one benchmark out, worst: a/b (interval high)", "figure": None},
        ]
    },
}


class Store:
    def __init__(self):
        self.made = []

    def child(self, parent, name, params=None, metrics=None, tags=None):
        self.made.append((parent, name, metrics, tags))
        return str(len(self.made))


def test_a_parent_has_what_people_compare_first_and_no_more():
    assert report_metrics(REPORT) == {
        **{"quality": 0.6, "quality_low": 0.5, "quality_high": 0.7},
        **{"gain": 0.1, "gain_low": -0.1, "gain_high": 0.2},
        **{"cost_ratio": 0.4, "savings": 0.6, "effective_sample_size": 120, "best_single_quality": 0.5},
        "tasks": 7.0,
        "gate/expected_calibration_error": 0.03,
    }
    many = [{"name": f"criterion {number}", "figure": 0.1} for number in range(50)]
    load_of_the_machine = 10
    assert len(report_metrics(REPORT | {"gate": {"criteria": many}})) + load_of_the_machine <= 40


def test_costs_that_nobody_knows_are_no_metric():
    unknown = {"operating": {"quality": [0.6, 0.5, 0.7], "cost_ratio": None}}
    assert report_metrics(unknown) == {"quality": 0.6, "quality_low": 0.5, "quality_high": 0.7}


def test_only_finite_numbers_are_metrics():
    assert numbers({"a": math.inf, "b": None, "c": [], "d": False, "e": [math.nan, 1, 2], "f": 3}) == {"d": 0, "f": 3}


def test_names_are_such_as_mlflow_takes():
    assert (
        slug("leave one benchmark out, worst: a/b (interval high)") == "leave_one_benchmark_out_worst_a_b_interval_high"
    )


def test_each_method_and_stage_is_a_child_with_its_figures():
    store = Store()
    stages = {"experts": {"general": [{"epochs": 4}, {"epochs": 6}], "kept": True}}
    made = log_children(store, "parent", REPORT, stages)
    assert made == {"method-router": "1", "method-best_single": "2", "discovery": "3", "heads-experts": "4"}
    assert store.made[0] == (
        "parent",
        "method-router",
        {"quality": 0.6, "regret": 0.1},
        {"kind": "method", "method": "router"},
    )
    assert store.made[3][2] == {"general.0.epochs": 4.0, "general.1.epochs": 6.0, "kept": 1.0}


def test_nested_figures_are_named_by_their_path():
    assert flat({"a": {"b": {"c": 1}}, "d": ({"e": 2},), "f": "x"}) == {"a.b.c": 1, "d.0.e": 2, "f": "x"}

"""What an MLflow run shows of a report and of what led to it: flat metrics, and a child run for each part.

Nothing here knows MLflow: a run store is whatever can make a child.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Protocol

MOST_CRITERIA = 16
"""Criteria of the gate on a parent run, which has 40 metrics at most, the machine's load among them."""


class Runs(Protocol):
    """What the children need of a run store."""

    def child(
        self,
        parent: str,
        name: str,
        params: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Makes a finished run under another and returns its id."""


def report_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    """What a person compares retrains by: the operating policy, then the gate's figures as `gate/<criterion>`.

    Everything else is on children. MLflow lists names without a slash first.

    >>> report_metrics({"operating": {"quality": [0.5, 0.4, 0.6], "cost_ratio": [0.25, 0.2, 0.3]}})
    {'quality': 0.5, 'quality_low': 0.4, 'quality_high': 0.6, 'cost_ratio': 0.25, 'savings': 0.75}
    """
    operating, metrics = report.get("operating", {}), dict[str, float]()
    for name in ("quality", "gain"):
        if interval := operating.get(name):
            metrics |= dict(zip((name, f"{name}_low", f"{name}_high"), map(float, interval), strict=True))
    if ratio := operating.get("cost_ratio"):
        metrics |= {"cost_ratio": float(ratio[0]), "savings": 1 - float(ratio[0])}
    wanted = ("effective_sample_size", "traffic_moved", "prompts")
    metrics |= numbers({name: operating[name] for name in wanted if name in operating})
    if "best_single" in operating:
        metrics["best_single_quality"] = float(operating["best_single"]["quality"])
    metrics |= numbers({name: report.get("discovery", {}).get(name) for name in ("tasks", "unassigned_share")})
    criteria = [one for one in report.get("gate", {}).get("criteria", []) if one["figure"] is not None]
    metrics |= {f"gate/{slug(one['name'])}": float(one["figure"]) for one in criteria[:MOST_CRITERIA]}
    return metrics


def numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    """The finite numbers among some figures; an interval counts as its mean, a truth as 1 or 0.

    >>> numbers({"quality": [0.5, 0.4, 0.6], "kept": True, "name": "x", "loss": float("nan"), "trials": [[1, 2]]})
    {'quality': 0.5, 'kept': 1.0}
    """
    found = {}
    for name, value in figures.items():
        mean = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(mean, int | float) and math.isfinite(mean):
            found[name] = float(mean)
    return found


def slug(text: str) -> str:
    """A name that MLflow takes, of any text.

    >>> slug("control beaten: control_random_features")
    'control_beaten_control_random_features'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def log_children(
    runs: Runs, parent: str, report: Mapping[str, Any], stages: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """A child run for each method of a report and each trained stage, with their figures; their ids by name.

    Args:
        runs: where they are made.
        parent: the retrain's run.
        report: its methods become `method-<name>`; their figures have the same names in all, so that runs compare.
        stages: `heads-<name>` -> what training told of it; nested figures are named by their path.
    """
    made = {}
    for name, figures in report.get("methods", {}).items():
        tags = {"kind": "method", "method": name}
        made[f"method-{name}"] = runs.child(parent, f"method-{name}", metrics=numbers(figures), tags=tags)
    if found := numbers(report.get("discovery", {})):
        made["discovery"] = runs.child(parent, "discovery", metrics=found, tags={"kind": "discovery"})
    for name, told in stages.items():
        tags = {"kind": "heads", "stage": name}
        made[f"heads-{name}"] = runs.child(parent, f"heads-{name}", metrics=numbers(flat(told)), tags=tags)
    return made


def flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """Nested objects as one, names joined by dots; lists of objects are numbered from 0.

    >>> flat({"fit": {"epochs": 3}, "members": [{"loss": 0.5}], "curve": [1.0, 2.0]})
    {'fit.epochs': 3, 'members.0.loss': 0.5}
    """
    result: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            result |= {f"{name}.{inner}": deep for inner, deep in flat(value).items()}
        elif isinstance(value, list | tuple):
            objects = {str(place): one for place, one in enumerate(value) if isinstance(one, Mapping)}
            result |= {f"{name}.{inner}": deep for inner, deep in flat(objects).items()}
        else:
            result[name] = value
    return result

"""The whole study as one JSON document, which pages, tables and MLflow are made from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from components.extrapolation.claims import findings
from components.extrapolation.study import Measured, ProblemRun
from components.extrapolation.summary import Interval, summarise


def study_report(runs: Sequence[ProblemRun]) -> dict[str, Any]:
    """`problems` with every model's [median, low, high] at each shift, and `findings` with their verdicts.

    Args:
        runs: at least one; each problem with the same seeds throughout.

    Raises:
        ValueError: there is no run, or a problem's run is there twice.
    """
    if not runs:
        raise ValueError("a study of no problem has nothing to report")
    keys = [(run.problem, run.measured[0].seed) for run in runs]
    if len(set(keys)) < len(keys):
        raise ValueError("a problem was run twice with the same seed")
    by_problem: dict[str, list[ProblemRun]] = {}
    for run in runs:
        by_problem.setdefault(run.problem, []).append(run)
    metrics = {name: own[0].metric for name, own in by_problem.items()}
    measured = [row for run in runs for row in run.measured]
    return {
        "problems": [
            {
                "name": name,
                "metric": own[0].metric,
                "sources": sorted({run.source for run in own}),
                "seeds": sorted({run.measured[0].seed for run in own}),
                "families": _families([row for run in own for row in run.measured]),
            }
            for name, own in by_problem.items()
        ],
        "findings": [asdict(finding) for finding in findings(measured, metrics)],
    }


def report_metrics(problem: dict[str, Any]) -> dict[str, float]:
    """Median error of every model at every shift of one problem, by a name that MLflow accepts."""
    return {
        f"{method}.{family.replace(' ', '_')}_{at:g}": values[0]
        for family, shown in problem["families"].items()
        for method, intervals in shown["methods"].items()
        for at, values in zip(shown["at"], intervals, strict=True)
        if values[0] is not None
    }


def _families(rows: Iterable[Measured]) -> dict[str, Any]:
    families: dict[str, Any] = {}
    for one in summarise(rows):
        family = families.setdefault(one.family, {"at": [], "inside": [], "methods": {}})
        if one.at not in family["at"]:
            family["at"].append(one.at)
            family["inside"].append(one.inside)
        family["methods"].setdefault(one.method, []).append(_listed(one.error))
    return families


def _listed(interval: Interval) -> list[float | None]:
    # JSON has no infinity.
    return [value if isfinite(value) else None for value in (interval.median, interval.low, interval.high)]

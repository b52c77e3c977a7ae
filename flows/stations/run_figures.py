"""What a person who opens a retrain in MLflow sees first: figures, and a child run for each method and each stage."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.reports import figures
from components.tracking.registry import Registry
from components.tracking.run_figures import log_children


def show(mlflow: Registry, run_id: str, report: Mapping[str, Any], figure_files: Mapping[str, Path]) -> None:
    """Logs the report's figures at the run's root, and the children.

    Args:
        mlflow: where the run is.
        run_id: the retrain's run.
        report: the evaluation.
        figure_files: stage -> JSON file of its training's figures.
    """
    methods = report["methods"]
    drawn = {
        "frontier.svg": figures.frontier(methods),
        "quality.svg": figures.quality_bars(methods),
        "regret_per_benchmark.svg": figures.regret_per_benchmark(methods),
        "reliability.svg": figures.reliability(report.get("reliability", [])),
    }
    for name, svg in drawn.items():
        if svg:
            mlflow.log_text(run_id, svg, name)
    log_children(mlflow, run_id, report, {stage: _object(path) for stage, path in figure_files.items()})


def _object(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text())
    return content if isinstance(content, dict) else {"part": content}

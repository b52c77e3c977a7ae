"""What a person sees on the run's page in Prefect."""

import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import httpx
import polars as pl
from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from components.reports.console import interval_text, method_order, number_text
from components.reports.discovery import discovery_notes
from components.reports.markdown import describe
from flows.platform.references import DataRef
from flows.stations.promote import Verdicted

P = ParamSpec("P")
R = TypeVar("R")
_PAUSES_S = (1, 2, 4, 8, 16, 32)


def patient(note: Callable[P, R]) -> Callable[P, R]:
    """Tries again for a minute while Prefect's server is started again: a client that is new gives up at once."""

    @wraps(note)
    def noted(*arguments: P.args, **named: P.kwargs) -> R:
        for pause in _PAUSES_S:
            try:
                return note(*arguments, **named)
            except httpx.ConnectError:
                time.sleep(pause)
        return note(*arguments, **named)

    return noted


@patient
def note_validation(validated: DataRef) -> None:
    """The expectations and how many rows broke each."""
    rows = pl.read_parquet(validated.file("validation.parquet")).drop("first").to_dicts()
    create_table_artifact(table=rows, key="validation", description="Great Expectations' rules on the tables")


@patient
def note_tasks(judged: DataRef) -> None:
    """The tasks by size with their best candidates, and what discovery says of itself."""
    report: dict[str, Any] = json.loads(judged.file("report.json").read_text())
    rows = [
        {
            "id": one["id"],
            "task": one["label"],
            "prompts": one["size"],
            "best candidate": one["best"],
            "quality": number_text(one["quality"]),
            "share of candidates kept": round(one["candidates_share"], 4),
            "keywords": ", ".join(one["keywords"]),
        }
        for one in report["tasks"]
    ]
    if rows:
        create_table_artifact(table=rows, key="tasks", description="Tasks found in the training prompts")
    notes = "\n".join(f"- {note}" for note in discovery_notes(report["discovery"]))
    create_markdown_artifact(notes, key="discovery", description="Why these tasks, and what became of the champion's")


@patient
def note_coverage(judged: DataRef) -> None:
    """Outcomes of each candidate by benchmark, or by task where the logs have no labels."""
    coverage: dict[str, Any] = json.loads(judged.file("report.json").read_text())["coverage"]
    rows = [
        {
            coverage.get("by", "benchmark"): row["benchmark"] or "(no label)",
            "prompts": row["prompts"],
            **dict(zip(coverage["candidates"], row["outcomes"], strict=True)),
        }
        for row in coverage["rows"]
    ]
    create_table_artifact(
        table=rows, key="coverage", description="Observed outcomes of each candidate: 0 is no evidence"
    )


@patient
def note_result(judged: DataRef, verdict: Verdicted) -> None:
    """The evaluation table, the verdict with its criteria, and the way to MLflow."""
    report: dict[str, Any] = json.loads(judged.file("report.json").read_text())
    methods = report["methods"]
    rows = [
        {
            "method": name,
            "quality [95 %]": interval_text(methods[name]["quality"]),
            "USD per 1000": interval_text(methods[name]["cost_usd_per_1000"]),
            "regret": number_text(methods[name]["regret"]),
        }
        for name in method_order(methods)
    ]
    create_table_artifact(table=rows, key="evaluation", description="Every method on the frozen test prompts")
    text = f"Router `{verdict.router_id}`\n\n{describe(report)}"
    create_markdown_artifact(text, key="verdict", description="The gate's criteria and the evaluation")
    create_link_artifact(
        link=verdict.run_url,
        key="mlflow-run",
        link_text="The run in MLflow",
        description="Parameters, metrics, figures and the report in MLflow",
    )

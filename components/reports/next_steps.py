"""What a reader of a page may do next: sentences, each with its command where there is one."""

from collections.abc import Mapping
from typing import Any

from components.reports.shell import Step

_SHOWN = 3


def after_report(report: Mapping[str, Any]) -> list[Step]:
    """Of a router's report: to serve it, to mend what failed, or to get the evidence that is wanting."""
    gate = report.get("gate")
    router = str(report.get("router_id", ""))[:12]
    if gate is None:
        return [Step(text="Judge it against the router in service", command="pointsman retrain --data DIR")]
    if gate["verdict"] == "promoted":
        return [
            Step(text="It is in service. Let a gateway use it", command="pointsman serve --port 8080"),
            Step(text="See why it decides as it does", command="pointsman explain --prompt TEXT"),
            Step(text="Watch for prompts it wasn't trained on", command="pointsman drift --recent DIR"),
            Step(text="If users complain, return to the router before it", command="pointsman rollback"),
        ]
    advice = [str(one["advice"]) for one in gate["criteria"] if not one["passed"] and one.get("advice")]
    steps = [Step(text=text) for text in dict.fromkeys(advice[:_SHOWN])]
    if gate["verdict"] == "not enough evidence":
        steps.append(
            Step(
                text="See what more answers would cost, before anything is asked",
                command="pointsman collect --data DIR --url URL --budget 5 --dry-run",
            )
        )
    steps.append(Step(text="The router in service stays; see which it is, and why", command="pointsman history"))
    if router:
        steps.append(
            Step(
                text="Look at this one's decisions all the same",
                command=f"pointsman route --router data/bundles/{report['router_id']} --input FILE --output FILE",
            )
        )
    return steps


def after_drift(report: Mapping[str, Any], router_id: str) -> list[Step]:
    """Of a drift report: to retrain with the recent prompts, or to look again."""
    if report["verdict"] != "drift":
        return [
            Step(text="Nothing to do. Look again when there are new prompts", command="pointsman drift --recent DIR")
        ]
    steps = []
    if report["groups"]:
        steps.append(Step(text="Look at the novel groups below: are these requests that the router should learn?"))
    if any(check["alarm"] and "quality" in check["name"] for check in report["checks"]):
        steps.append(
            Step(text="Ask the provider of the model named below what changed, and leave it out until then (exclude)")
        )
    return [
        *steps,
        Step(text="Add recent decisions to the tables", command="pointsman import decisions DIR --data DIR --append"),
        Step(
            text="Train again; the gate judges the new router against this one", command="pointsman retrain --data DIR"
        ),
    ]


def after_comparison() -> list[Step]:
    """Of a comparison: to train the router that was compared."""
    return [
        Step(text="Train, judge and publish the router that was compared", command="pointsman retrain --data DIR"),
        Step(text="The same figures as tables are in compare.md and compare.json beside this page"),
    ]


def after_study() -> list[Step]:
    """Of the extrapolation study: to repeat a part of it."""
    return [
        Step(text="Repeat one problem with more seeds", command="pointsman extrapolate --problem NAME --seeds 9"),
        Step(text="The same figures as tables are in extrapolation.md and extrapolation.json beside this page"),
    ]


def after_validation(broken: bool, warned: bool) -> list[Step]:
    """Of the rules that tables were checked by."""
    if broken:
        return [
            Step(text="Correct the rows below where they come from, and import them again"),
            Step(text="Then train", command="pointsman retrain --data DIR"),
        ]
    if warned:
        return [Step(text="Nothing stops a run. The warnings say which rows to look at when they matter to you")]
    return [Step(text="Nothing to do: every rule is kept")]


def after_quarantine(rows: int) -> list[Step]:
    """Of the rows that were set aside."""
    if not rows:
        return [Step(text="Nothing to do: every row could be used")]
    return [
        Step(text="Correct the rows at their source, import them again and train again; the others were used"),
        Step(text="To stop a run at fewer faulty rows", command="pointsman retrain --data DIR --most-faulty 0.001"),
    ]

"""What a reader of a page may do next: sentences, each with its command where there is one."""

from collections.abc import Mapping
from typing import Any

from components.reports.shell import Step

_SHOWN = 3
_QUALITY = "predicted less observed quality"
"""What the checks of quality are called: of all candidates together; with more behind it, of one."""
_WORSE = (
    "Answers of all candidates together are worse than predicted: look whether the grading or the requests changed, "
    "before a model is left out"
)
_BETTER = (
    "Answers of all candidates together are better than predicted: look whether the grading or the requests changed, "
    "before you rely on it"
)
_STAYS = Step(text="The router in service stays; see which it is, and why", command="pointsman history")


def verdict_of(report: Mapping[str, Any]) -> str | None:
    """How a router's verdict ended, where the report has its `ending`; else the gate's word; None: it has no verdict.

    >>> verdict_of({"gate": {"verdict": "promoted"}, "ending": {"verdict": "awaits approval", "reasons": []}})
    'awaits approval'
    """
    gate = report.get("gate")
    return str((report.get("ending") or gate)["verdict"]) if gate else None


def after_report(report: Mapping[str, Any]) -> list[Step]:
    """Of a router's report: to serve it, to have the last word, to mend what failed, or to get missing evidence."""
    verdict = verdict_of(report)
    if verdict is None:
        return [Step(text="Judge it against the router in service", command="pointsman retrain --data DIR")]
    if verdict == "promoted":
        return _passed(published="ending" in report)
    if verdict in ("to canary", "awaits approval"):
        return [*_waiting(verdict), _STAYS, *_all_the_same(report)]
    gate = report["gate"]
    if gate["verdict"] == "promoted":
        # its conditions were met: what kept it from service came after
        advice = [str(reason) for reason in report["ending"]["reasons"]]
    else:
        advice = [str(one["advice"]) for one in gate["criteria"] if not one["passed"] and one.get("advice")]
    steps = [Step(text=text) for text in dict.fromkeys(advice[:_SHOWN])]
    if verdict == "not enough evidence":
        steps.append(
            Step(
                text="See what more answers would cost, before anything is asked",
                command="pointsman collect --data DIR --url URL --budget 5 --dry-run",
            )
        )
    return [*steps, _STAYS, *_all_the_same(report)]


def _passed(*, published: bool) -> list[Step]:
    """Of a router that passed the gate. A page is older than what came after it: it can't say what is in service."""
    looked = (
        "It was published. See whether it still is in service"
        if published
        else ("The gate passed it. See whether it is in service")
    )
    return [
        Step(text=looked, command="pointsman history"),
        Step(text="Let a gateway use the router in service", command="pointsman serve --port 8080"),
        Step(text="See why that router decides as it does", command="pointsman explain --prompt TEXT"),
        Step(text="Watch for prompts it wasn't trained on", command="pointsman drift --recent DIR"),
        Step(
            text="If this one is in service and users complain, return to the one before", command="pointsman rollback"
        ),
    ]


def _waiting(verdict: str) -> list[Step]:
    """Of a router that passed the gate, where somebody else has the last word."""
    if verdict == "awaits approval":
        return [Step(text="The gate passed it; it waits. Publish it", command="pointsman promote --reason TEXT")]
    return [
        Step(
            text="The gate passed it; it waits. Try it on a tenth of the traffic",
            command="pointsman serve --decisions DIR --shadow data/canary --canary 0.1",
        ),
        Step(
            text="Publish it if it succeeded there, refuse it if it was stopped",
            command="pointsman promote --canary DIR",
        ),
    ]


def _all_the_same(report: Mapping[str, Any]) -> list[Step]:
    """To try a router that isn't in service; none where the report doesn't say which it is."""
    if not report.get("router_id"):
        return []
    command = f"pointsman route --router data/bundles/{report['router_id']} --input FILE --output FILE"
    return [Step(text="Look at this one's decisions all the same", command=command)]


def after_drift(report: Mapping[str, Any], router_id: str) -> list[Step]:
    """Of a drift report: to retrain with the recent prompts, or to look again."""
    if report["verdict"] != "drift":
        return [
            Step(text="Nothing to do. Look again when there are new prompts", command="pointsman drift --recent DIR")
        ]
    steps = []
    if report["groups"]:
        steps.append(Step(text="Look at the novel groups below: are these requests that the router should learn?"))
    return [
        *steps,
        *_on_quality(report),
        Step(text="Add recent decisions to the tables", command="pointsman import decisions DIR --data DIR --append"),
        Step(
            text="Train again; the gate judges the new router against this one", command="pointsman retrain --data DIR"
        ),
    ]


def _on_quality(report: Mapping[str, Any]) -> list[Step]:
    """What to do about each candidate that is worse or better than predicted, or about all of them together."""
    alarms = [check for check in report["checks"] if check["alarm"] and check["name"].startswith(_QUALITY)]
    if not alarms:
        return []
    candidates = (report["quality"] or {}).get("candidates", [])
    # only the least likely has a check, but each has a p that allows for the others
    changed = [
        one for one in candidates if one["p"] <= alarms[0]["level"] and abs(one["gap"][0]) >= alarms[0]["threshold"]
    ]
    worse = [one["gap"][0] > 0 for one in changed]
    overall = next((check["figure"] > 0 for check in alarms if check["name"] == _QUALITY), None)
    if len(candidates) > 1 and len(worse) == len(candidates) and len(set(worse)) == 1:
        # hardly the work of every provider at once; and somebody has to answer
        return [Step(text=_WORSE if worse[0] else _BETTER)]
    steps = [Step(text=_of_candidate(one["model"], one["gap"][0] > 0)) for one in changed]
    if overall is not None and overall not in worse:
        steps.append(Step(text=_WORSE if overall else _BETTER))
    return steps


def _of_candidate(model: str, worse: bool) -> str:
    if worse:
        return f"{model} answers worse than predicted: ask its provider what changed; leave it out until then (exclude)"
    return f"{model} answers better than predicted: train again, so that the router uses it where that pays"


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

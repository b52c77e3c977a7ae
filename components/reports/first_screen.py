"""The report's first screen: publish or not, what is saved, what changes for users, and how that was judged."""

from collections.abc import Mapping
from typing import Any

from components.reports.grading import grading_text
from components.reports.next_steps import after_report, verdict_of
from components.reports.summary import by_share, change, judged_on, points, policy_text, summary

_SHOWN = 8


def first_screen(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows first; without an operating policy only the steps."""
    operating, gate = report.get("operating"), report.get("gate")
    if not operating or not gate:
        return {"operating": None, "steps": after_report(report)}
    shares = [(name, round(100 * share)) for name, share in by_share(operating["shares"])]
    return {
        "operating": operating,
        "steps": after_report(report),
        "sentence": summary(report, str(verdict_of(report))),
        "numbers": [
            (points(operating["gain"]), f"points of quality against always using {operating['best_single']['name']}"),
            (
                change(operating["cost_ratio"]) if operating["cost_ratio"] else "unknown",
                "cost against it" + (", partly estimated" if operating.get("costs") == "estimated" else ""),
            ),
            (f"{100 * operating['traffic_moved']:.0f} %", "of traffic moves away from it"),
            (policy_text(operating), "operating policy: what is judged, and what serves unless another is asked for"),
        ],
        "traffic": shares[:_SHOWN],
        "more_traffic": max(0, len(shares) - _SHOWN),
        "judged": f"{_capital(judged_on(operating))}. Graded by: {operating.get('grader') or 'not said in the logs'}. "
        f"{grading_text(operating)} {_against(report)}".replace("  ", " ").strip(),
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _against(report: Mapping[str, Any]) -> str:
    against = report.get("judged_against") or {}
    champion = against.get("champion")
    if not champion:
        return "No router in service to compare with." if against else ""
    told = f"Compared with the router in service, {champion['router_id'][:12]}, on {champion['prompts']:,} prompts"
    if champion["left_out"]:
        told += f"; {champion['left_out']:,} were left out, which it was trained on or can't be judged on"
    share = champion.get("training_prompts_in_these_logs", 1.0)
    if share < 0.5:
        told += f". Only {share:.0%} of the prompts it was trained on are in these logs: another data folder?"
    return told + "."


GLOSSARY = {
    "quality": "mean grade of the answers, from 0 to 1; a point is a hundredth",
    "best single": "the one model with the highest quality on the prompts learnt from",
    "regret": "quality lost against an oracle that always knows the best model",
    "AIQ": "average quality along the cost-quality curve between the cheapest and the most expensive model",
    "APGR": "share of the quality gap between a weak and the best model that is recovered, averaged over costs",
    "Gap@O": "share of the oracle's quality that is missing",
    "PerfGain": "quality relative to the best single model's, less 1",
    "CostSave": "share of the best single model's cost saved at equal quality, by the method's own curve",
    "stage 1, stage 2": "the table of tasks alone; the heads on single prompts alone",
}
"""What the columns mean."""

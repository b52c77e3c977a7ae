"""The report's first screen: publish or not, what is saved, what changes for users, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.reports.console import number_text
from components.reports.html import badge, table, text
from components.reports.summary import change, judged_on, points, policy_text, summary

_SHOWN = 8


def first_screen(report: Mapping[str, Any]) -> str:
    """The sentence, its figures and the traffic by model; '' for a report without an operating policy."""
    operating, gate = report.get("operating"), report.get("gate")
    if not operating or not gate:
        return ""
    shown = [
        (f"{points(operating['gain'])}", f"points of quality against always using {operating['best_single']['name']}"),
        (
            change(operating["cost_ratio"]) if operating["cost_ratio"] else "unknown",
            "cost against it" + (", partly estimated" if operating.get("costs") == "estimated" else ""),
        ),
        (f"{100 * operating['traffic_moved']:.0f} %", "of traffic moves away from it"),
        (policy_text(operating), "operating policy: what is judged, and what serves unless another is asked for"),
    ]
    cells = "".join(f"<div class='figure'><b>{text(value)}</b><span>{text(what)}</span></div>" for value, what in shown)
    return (
        f"<section class='first'><p class='sentence'>{text(summary(report, gate['verdict']))}</p>"
        f"<div class='figures'>{cells}</div>{_traffic(operating['shares'], operating['best_single']['name'])}"
        f"<p class='note'>{text(judged_on(operating).capitalize())}. Graded by: "
        f"{text(operating.get('grader') or 'not said in the logs')}. {text(_against(report))}</p></section>"
    )


def _traffic(shares: Mapping[str, float], single: str) -> str:
    rows = "".join(
        f"<div class='bar'><span>{text(name)}{' (best single)' if name == single else ''}</span>"
        f"<i style='width:{100 * share:.1f}%'></i><b>{100 * share:.0f} %</b></div>"
        for name, share in list(shares.items())[:_SHOWN]
    )
    more = len(shares) - _SHOWN
    rest = f"<p class='note'>and {more} more</p>" if more > 0 else ""
    return f"<div class='bars' role='img' aria-label='Share of traffic by model'>{rows}</div>{rest}"


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


def verdict_table(gate: Mapping[str, Any]) -> str:
    """Each condition: what was found, whether that is enough, and what to do where it isn't."""
    rows = []
    for one in sorted(gate["criteria"], key=lambda one: one["passed"]):
        outcome = badge("passed" if one["passed"] else "failed")
        words = one.get("words") or f"{number_text(one['figure'], 4)}, threshold {number_text(one['threshold'], 4)}"
        advice = f"<br><em>{text(one['advice'])}</em>" if one.get("advice") else ""
        rows.append(("wrap", [text(one["name"]), outcome, f"{text(words)}{advice}"]))
    note = (
        "<p class='note'>Brackets: one-sided 95 % bounds each way, paired over the same prompts. A point is a "
        "hundredth of quality.</p>"
    )
    return table(("condition", "outcome", "finding"), rows) + note


def policy_chooser(curve: Sequence[Mapping[str, Any]], single: str) -> str:
    """The cost-quality curve as a row of points to choose from, without any script."""
    priced = sorted(
        (one for one in curve if one["cost_usd_per_1000"] is not None), key=lambda one: one["cost_usd_per_1000"]
    )
    if len(priced) < 2:
        return ""
    declared = str(curve[0]["policy"])
    rules = ",".join(f"#w{n}:checked~.cards #p{n}" for n in range(len(priced)))
    marks = ",".join(f"#w{n}:checked~.line label[for=w{n}]" for n in range(len(priced)))
    inputs = "".join(
        f"<input type='radio' name='whatif' id='w{n}'{' checked' if one['policy'] == declared else ''} "
        f"aria-label='{text(one['policy'])}'>"
        for n, one in enumerate(priced)
    )
    labels = "".join(f"<label for='w{n}' title='{text(one['policy'])}'></label>" for n, one in enumerate(priced))
    cards = "".join(_policy_card(n, one, single) for n, one in enumerate(priced))
    return (
        f"<style>.whatif .panel{{display:none}}{rules}{{display:block}}{marks}{{background:var(--accent)}}</style>"
        f"<div class='whatif'>{inputs}<div class='line'><span>least expensive</span>{labels}<span>most expensive</span>"
        f"</div><div class='cards'>{cards}</div></div>"
    )


def _policy_card(number: int, one: Mapping[str, Any], single: str) -> str:
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in list(one["shares"].items())[:4])
    cost = change(one["cost_ratio"]) if one["cost_ratio"] else "unknown"
    return (
        f"<div class='panel' id='p{number}'><b>{text(one['policy'])}</b>: quality {one['quality'][0]:.3f}, "
        f"{points(one['gain'])} points against {text(single)}; cost {text(cost)}, "
        f"${one['cost_usd_per_1000'] * 1000:,.0f} a million requests; {text(shares)}</div>"
    )


def coverage_table(coverage: Mapping[str, Any]) -> str:
    """Observed outcomes by benchmark and candidate; '' where all are there."""
    rows = coverage.get("rows", [])
    if all(count == row["prompts"] for row in rows for count in row["outcomes"]):
        return ""
    head = ["benchmark", "prompts", *(text(name) for name in coverage["candidates"])]
    body = [
        (
            "",
            [
                text(row["benchmark"] or "(no label)"),
                f"{row['prompts']:,}",
                *(f"{count:,}" if count else "<span class='none'>none</span>" for count in row["outcomes"]),
            ],
        )
        for row in rows
    ]
    note = "<p class='note'>Outcomes in the logs. A candidate without any on a task is never chosen there.</p>"
    return table(head, body) + note


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


def glossary() -> str:
    """What the columns mean."""
    rows = "".join(f"<dt>{text(word)}</dt><dd>{text(meaning)}</dd>" for word, meaning in GLOSSARY.items())
    return f"<details><summary>What these words mean</summary><dl>{rows}</dl></details>"

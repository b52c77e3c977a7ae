"""The report's first sentence: publish or not, what is saved, what changes for users."""

from collections.abc import Mapping
from typing import Any

from pointsman.whatif import MULTIPLE, times

EXAMPLE_REQUESTS = 2_000_000
"""Requests a month that savings are reckoned for unless told otherwise."""
_WORDS = {
    "promoted": "Publish.",
    "to canary": "Try it on a share of the traffic.",
    "awaits approval": "Publish, once somebody approves.",
    "refused": "Don't publish.",
    "not enough evidence": "Not enough evidence yet.",
}
_EVIDENCE = {"complete": "complete outcomes", "one_answer": "one answer a prompt", "mixed": "outcomes with gaps"}
_MOST_NAMED = 3


def policy_text(operating: Mapping[str, Any]) -> str:
    """The declared policy, and what a person asked for where that is another word.

    >>> policy_text({"policy": "tradeoff=0.2", "asked": "parity"})
    'tradeoff=0.2 (parity)'
    """
    policy, asked = str(operating["policy"]), str(operating.get("asked", ""))
    return policy if asked in ("", policy) else f"{policy} ({asked})"


def summary(report: Mapping[str, Any], verdict: str, requests: int = EXAMPLE_REQUESTS) -> str:
    """One sentence on the operating policy against always using the best single candidate.

    Args:
        report: with `operating`.
        verdict: the gate's word.
        requests: a month, for the savings in USD.
    """
    operating = report["operating"]
    single, gain = operating["best_single"], operating["gain"]
    parts = [f"quality {points(gain)} points"]
    if operating["cost_ratio"] is not None:
        parts.append(f"cost {change(operating['cost_ratio'])}")
        saved = single["cost_usd_per_1000"] - operating["cost_usd_per_1000"]
        word = "saved" if saved >= 0 else "more"
        parts[-1] += f": about ${abs(saved) * requests / 1000:,.0f} a month {word} at {requests / 1e6:g} M requests"
        if operating.get("costs") == "estimated":
            parts[-1] += " (costs partly estimated)"
    else:
        parts.append("cost unknown")
    others = [(name, share) for name, share in by_share(operating["shares"]) if name != single["name"]]
    named = ", ".join(f"{name} {100 * share:.0f} %" for name, share in others[:_MOST_NAMED])
    moved = f"{100 * operating['traffic_moved']:.0f} % of traffic moves" + (f", to {named}" if named else "")
    return (
        f"{_WORDS[verdict]} Against always using {single['name']}: {', '.join(parts)}; {moved}; {judged_on(operating)}."
    )


def by_share(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """Models with their share of the traffic, the largest first: JSON in a bundle is sorted by name.

    >>> by_share({"a": 0.2, "b": 0.8})
    [('b', 0.8), ('a', 0.2)]
    """
    return sorted(shares.items(), key=lambda one: (-one[1], one[0]))


def judged_on(operating: Mapping[str, Any]) -> str:
    """How many prompts the headline rests on, and what fell out.

    >>> judged_on({"prompts": 1204, "evidence": "complete"})
    'judged on 1,204 prompts, complete outcomes'
    """
    text = f"judged on {operating['prompts']:,} prompts, {_EVIDENCE[operating['evidence']]}"
    if operating["evidence"] != "complete":
        text += f" worth {operating['effective_sample_size']:,.0f} complete ones"
        text += _doubt(operating.get("sensitivity"))
    if operating.get("fell_out"):
        text += f"; {operating['fell_out']:,} fell out for want of outcomes"
        judged, benchmarks = operating["benchmarks"]
        if judged < benchmarks:
            text += f" ({judged} of {benchmarks} benchmarks are judged)"
    if operating.get("flattered_in"):
        what = " and ".join(operating["flattered_in"])
        text += f"; test prompts alone count, since learning prompts flattered the router in {what}"
    return text


def _doubt(sensitivity: Mapping[str, Any] | None) -> str:
    """How far the quality moves if the log chose otherwise than its propensities say."""
    if sensitivity is None or None in sensitivity["quality"]:
        return ""
    low, high = (100 * end for end in sensitivity["quality"])
    return (
        f" (quality between {low:.1f} and {high:.1f} points if the odds of the log's choices are wrong by a factor of "
        f"{sensitivity['gamma']:g})"
    )


def points(interval: list[float]) -> str:
    """Quality in points of a hundred.

    >>> points([0.001, -0.004, 0.006])
    '+0.1 [-0.4, +0.6]'
    """
    mean, low, high = (100 * end for end in interval)
    return f"{mean:+z.1f} [{low:+z.1f}, {high:+z.1f}]"


def change(ratio: list[float]) -> str:
    """A relative cost as a change in per cent; from twice as much on, as a multiple.

    >>> change([0.42, 0.36, 0.49]), change([27.03, 19.96, 34.2])
    ('-58 % [-64, -51]', '27 times as much [20, 34]')
    """
    if ratio[0] >= MULTIPLE:
        return f"{times(ratio[0])} times as much [{times(ratio[1])}, {times(ratio[2])}]"
    mean, low, high = (100 * (end - 1) for end in ratio)
    return f"{mean:+z.0f} % [{low:+z.0f}, {high:+z.0f}]"

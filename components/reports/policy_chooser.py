"""The cost-quality curve of a report with a slider: what each policy would get, cost and change."""

from collections.abc import Mapping
from typing import Any

from components.reports.figures import by_cost
from components.reports.shell import own_script
from components.reports.summary import EXAMPLE_REQUESTS, by_share, change, points

_MOST_NAMED = 4


def policy_chooser(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the template shows of `whatif`; None where fewer than two policies have a cost.

    The page's only script is our own file, which the page's policy allows by its hash: no text of a user can run.
    """
    curve, operating = report.get("whatif") or [], report.get("operating")
    shown = by_cost(curve)
    if len(shown) < 2 or not operating or operating["best_single"]["cost_usd_per_1000"] is None:
        return None
    script, digest = own_script("whatif.js")
    declared = next((place for place, one in enumerate(shown) if one["policy"] == curve[0]["policy"]), 0)
    single_usd = float(operating["best_single"]["cost_usd_per_1000"])
    named = [{**one, "traffic": _traffic(one["shares"]), "single_usd": _single(one, single_usd)} for one in shown]
    return {
        "points": named,
        "declared": declared,
        "single": operating["best_single"]["name"],
        "requests": EXAMPLE_REQUESTS,
        "prompts": curve[0].get("prompts"),
        "rows": [
            (
                one["policy"],
                f"{one['quality'][0]:.3f}",
                points(one["gain"]),
                change(one["cost_ratio"]) if one["cost_ratio"] else "unknown",
                f"{one['cost_usd_per_1000']:.4g}",
                one["traffic"],
            )
            for one in named
        ],
        "script": script,
        "hash": digest,
    }


def _single(one: Mapping[str, Any], otherwise: float) -> float:
    """USD per 1000 prompts of the best single candidate on the prompts that this policy was judged on."""
    ratio = one["cost_ratio"]
    return float(one["cost_usd_per_1000"]) / float(ratio[0]) if ratio and ratio[0] > 0 else otherwise


def _traffic(shares: Mapping[str, float]) -> str:
    named = [f"{name} {100 * share:.0f} %" for name, share in by_share(shares)[:_MOST_NAMED]]
    more = len(shares) - _MOST_NAMED
    return ", ".join([*named, f"and {more} more"] if more > 0 else named)

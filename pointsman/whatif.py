"""What a router's policies would cost and get, from the curve that its bundle carries."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pointsman.bundle.location import local_folder
from pointsman.bundle.reading import read_bundle
from pointsman.bundle.signature import Trust
from pointsman.columns import aligned

REQUESTS = 2_000_000
"""Requests a month unless told otherwise."""
MULTIPLE = 2.0
"""A cost of so many times another one, or more, is said as a multiple: nobody reads "-2603 % saved"."""
_MOST_NAMED = 3


def whatif(path: str | Path, requests: int = REQUESTS, trust: Trust | None = None) -> dict[str, Any]:
    """Each policy's quality, cost and share by model, as measured on prompts that the router hadn't seen.

    Args:
        path: a bundle's folder, or a published root, or the URL of either.
        requests: a month, >= 1.
        trust: who must have signed the router; None: nobody.

    Returns:
        router_id, operating_policy, best_single, requests, and policies from the least expensive to the most: policy,
        operating (whether it is the declared one), quality and gain as [mean, low, high], cost_usd_per_1000,
        cost_ratio, usd_a_month, saved_usd_a_month, shares by model, prompts.

    Raises:
        BundleError: the router can't be read.
        ValueError: requests < 1, or a bundle without a curve.
    """
    if requests < 1:
        raise ValueError(f"requests must be >= 1, got {requests}")
    bundle = read_bundle(local_folder(path, trust=trust), trust)
    curve, operating = bundle.report.get("whatif"), bundle.report.get("operating")
    if not curve or not operating:
        raise ValueError(f"router {bundle.manifest.router_id[:12]} carries no curve: retrain to have one")
    single = operating["best_single"]
    declared = bundle.manifest.provenance.operating_policy
    points = [
        {
            **point,
            "operating": _same(point["policy"], declared),
            "usd_a_month": _monthly(point["cost_usd_per_1000"], requests),
            "saved_usd_a_month": _saved(point, single.get("cost_usd_per_1000"), requests),
        }
        for point in curve
    ]
    points.sort(key=lambda point: (point["cost_usd_per_1000"] is None, point["cost_usd_per_1000"] or 0.0))
    return {
        "router_id": bundle.manifest.router_id,
        "operating_policy": declared,
        "best_single": single,
        "requests": requests,
        "policies": points,
    }


def text_of(found: Mapping[str, Any]) -> str:
    """The same for a terminal; policies that do the same are shown once."""
    shown = _distinct(found["policies"])
    lines = [
        f"Against always using {found['best_single']['name']}, at {found['requests']:,} requests a month:",
        "",
    ]
    head = ["policy", "quality", "against it, points", "cost against it", "USD a month", "against it, USD", "shares"]
    rows = [
        [
            point["policy"] + (" (operating)" if point["operating"] else ""),
            f"{point['quality'][0]:.3f}",
            _points(point["gain"]),
            "-" if point["cost_ratio"] is None else relative_cost(point["cost_ratio"][0]),
            "-" if point["usd_a_month"] is None else f"{point['usd_a_month']:,.0f}",
            "-" if point["saved_usd_a_month"] is None else f"{-point['saved_usd_a_month']:+z,.0f}",
            ", ".join(f"{name} {100 * share:.0f} %" for name, share in _largest(point["shares"])),
        ]
        for point in shown
    ]
    alike = len(found["policies"]) - len(shown)
    note = ["", f"{alike} policies that choose as one of these does are left out; --json has them."] if alike else []
    return "\n".join([*lines, *aligned(head, rows), *note])


def _points(gain: Iterable[float]) -> str:
    mean, low, high = (100 * end for end in gain)
    return f"{mean:+z.1f} [{low:+z.1f}, {high:+z.1f}]"


def _distinct(points: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One of all policies that do the same: the operating one, else the first."""
    kept: dict[str, Mapping[str, Any]] = {}
    for point in points:
        does = str([point[name] for name in ("quality", "gain", "usd_a_month", "shares")])
        if point["operating"] or does not in kept:
            kept[does] = point
    return list(kept.values())


def relative_cost(ratio: float) -> str:
    """A cost beside another one: the change in per cent, or how many times as much.

    >>> relative_cost(0.21), relative_cost(1.4), relative_cost(27.03)
    ('-79 %', '+40 %', '27 times as much')
    """
    return f"{times(ratio)} times as much" if ratio >= MULTIPLE else f"{100 * (ratio - 1):+z.0f} %"


def times(ratio: float) -> str:
    """A multiple as a number of two digits or more.

    >>> times(2.04), times(27.03), times(1234.5)
    ('2.0', '27', '1,234')
    """
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def _largest(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """A bundle's report is sorted by name."""
    return sorted(shares.items(), key=lambda one: (-one[1], one[0]))[:_MOST_NAMED]


def _same(a: str, b: str) -> bool:
    """Whether two spellings name one policy."""
    name, _, figure = a.partition("=")
    other, _, number = b.partition("=")
    return name == other and (figure == number or (bool(figure) and bool(number) and float(figure) == float(number)))


def _monthly(cost_usd_per_1000: float | None, requests: int) -> float | None:
    return None if cost_usd_per_1000 is None else cost_usd_per_1000 * requests / 1000


def _saved(point: Mapping[str, Any], single_usd: float | None, requests: int) -> float | None:
    """USD a month less than the best single candidate's, on the same prompts where the policy costs anything.

    Where either is free their ratio says nothing of the other, which then costs as on the operating policy's prompts.
    """
    ratio, paid = point["cost_ratio"], point["cost_usd_per_1000"]
    if paid is None:
        return None
    if ratio is not None and ratio[0] > 0:
        theirs = paid / ratio[0]
    elif single_usd is not None and (ratio is not None or single_usd == 0):
        theirs = single_usd
    else:
        return None
    return float((theirs - paid) * requests / 1000)

"""How a run ended, in one line that a person reads in a log, a chat or a mail."""

from collections.abc import Mapping, Sequence
from typing import Literal

Verdict = Literal["promoted", "to canary", "awaits approval", "refused", "not enough evidence"]
"""How a retrain ends that ran through."""
Outcome = Verdict | Literal["failed", "crashed", "cancelled"]
_BROKEN = ("failed", "crashed", "cancelled")
_LONGEST_REASON = 200
_SHOWN = 3


def ending_line(
    flow: str,
    outcome: Outcome,
    *,
    router_id: str = "",
    quality: Sequence[float] | None = None,
    best_single: Sequence[float] | None = None,
    reasons: Sequence[str] = (),
    links: Mapping[str, str] | None = None,
) -> str:
    """One line: what ended how, with which figures or for which reasons, and where to look.

    Args:
        flow: name of the flow.
        outcome: how it ended.
        router_id: of the challenger; its first twelve characters are shown.
        quality: the router's [mean, low, high] on the test prompts.
        best_single: the best single candidate's.
        reasons: of a refusal or a failure; the first three are shown, each cut at 200 characters.
        links: name -> address, in order; empty addresses are left out.

    >>> ending_line("retrain", "refused", router_id="ab" * 32, reasons=["worse\\nthan before"], links={"run": "http://x"})
    'retrain refused, the router in service stays: router abababababab; worse than before | run http://x'
    >>> ending_line("retrain", "failed", reasons=["ValueError: outcomes.parquet is empty"])
    'retrain failed: ValueError: outcomes.parquet is empty'
    """
    stays = "" if outcome == "promoted" or outcome in _BROKEN else ", the router in service stays"
    parts = [f"router {router_id[:12]}"] if router_id else []
    if quality is not None:
        beside = f" against {best_single[0]:.3f} of the best single candidate" if best_single is not None else ""
        parts.append(f"quality {quality[0]:.3f} [{quality[1]:.3f}, {quality[2]:.3f}]{beside}")
    parts += [_short(reason) for reason in reasons[:_SHOWN]]
    if len(reasons) > _SHOWN:
        parts.append(f"and {len(reasons) - _SHOWN} more reasons")
    where = [f"{name} {address}" for name, address in (links or {}).items() if address]
    told = f": {'; '.join(parts)}" if parts else ""
    return " | ".join([f"{flow} {outcome}{stays}{told}", *where])


def _short(reason: str) -> str:
    """Without line breaks, cut."""
    flat = " ".join(reason.split())
    return flat if len(flat) <= _LONGEST_REASON else f"{flat[: _LONGEST_REASON - 1]}…"

"""What a drift run found, as Markdown for dashboards and as one self-contained page: prompts are untrusted."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from components.reports.style import CSS

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CHECKS = ("check", "figure [95 %]", "threshold", "p", "outcome")
_GROUPS = ("novel group", "recent prompts", "in training", "p", "routed as")
_MIX = ("task", "recent", "training")


def drift_markdown(report: Mapping[str, Any]) -> str:
    """Verdict, checks, novel groups and task mix."""
    lines = [f"# {_headline(report)}", "", *(f"- {_cell(reason)}" for reason in report["reasons"]), ""]
    lines += _markdown_table(_CHECKS, map(_check, report["checks"]))
    if report["groups"]:
        lines += ["## Novel groups", "", *_markdown_table(_GROUPS, map(_group, report["groups"]))]
    if (quality := _quality(report)) is not None:
        lines += ["## Quality", "", quality, ""]
    lines += ["## Task mix", "", *_markdown_table(_MIX, _mix(report))]
    return "\n".join(lines)


def drift_page(report: Mapping[str, Any], router_id: str) -> str:
    """The whole HTML document."""
    outcome = "failed" if report["verdict"] == "drift" else "passed"
    reasons = "".join(f"<li>{_text(reason)}</li>" for reason in report["reasons"])
    quality = _quality(report)
    parts = [
        _section("Reasons", f"<ul>{reasons}</ul>" if reasons else ""),
        _section("Checks", _table(_CHECKS, map(_check, report["checks"])) + _NOTE),
        _section("Novel groups", _cards(report["groups"])),
        _section("Predicted and observed quality", f"<p>{_text(quality)}</p>" if quality is not None else ""),
        _section("Task mix", _table(_MIX, _mix(report))),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Pointsman drift</title>"
        f"<style>{CSS}</style></head><body><header><div><h1>Drift report "
        f"<span class='badge {outcome}'>{_text(report['verdict'])}</span></h1>"
        f"<p>router_id: {_text(router_id)} · {report['recent']} recent prompts against {report['reference']} "
        f"of the training logs</p></div></header><main>{''.join(parts)}</main></body></html>"
    )


def check_rows(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """The checks, a row each, for a dashboard's table."""
    return [dict(zip(_CHECKS, _check(check), strict=True)) for check in report["checks"]]


_NOTE = (
    "<p class='note'>A check alarms where its p is at most its level and its figure reaches the threshold; "
    "the levels of all checks together allow one false alarm in 1 / level runs.</p>"
)


def _headline(report: Mapping[str, Any]) -> str:
    return f"{report['verdict'].capitalize()}: {report['recent']} prompts against {report['reference']}"


def _check(check: Mapping[str, Any]) -> list[str]:
    interval = f"{check['figure']:.3f} [{check['low']:.3f}, {check['high']:.3f}]"
    p = f"{check['p']:.2g} (level {check['level']:.2g})"
    return [check["name"], interval, f"{check['threshold']:g}", p, "alarm" if check["alarm"] else "quiet"]


def _group(group: Mapping[str, Any]) -> list[str]:
    keywords = ", ".join(group["keywords"]) or "unnamed (texts unknown)"
    return [
        keywords,
        f"{group['recent']} ({group['share']:.1%})",
        str(group["reference"]),
        f"{group['p']:.2g}",
        group["routed_as"],
    ]


def _mix(report: Mapping[str, Any]) -> list[list[str]]:
    return [[row["task"], f"{row['recent']:.1%}", f"{row['reference']:.1%}"] for row in report["mix"]]


def _quality(report: Mapping[str, Any]) -> str | None:
    quality = report["quality"]
    if quality is None:
        return None
    gap, low, high = quality["gap"]
    worst = sorted(quality["by_candidate"].items(), key=lambda item: -abs(item[1]))[:5]
    return (
        f"Over {quality['prompts']} prompts with outcomes: predicted {quality['predicted']:.3f}, observed "
        f"{quality['observed']:.3f}, gap {gap:+.3f} [{low:+.3f}, {high:+.3f}]. "
        f"Largest gaps: {', '.join(f'{name} {value:+.3f}' for name, value in worst)}."
    )


def _cards(groups: Iterable[Mapping[str, Any]]) -> str:
    cards = []
    for group in groups:
        keys = "".join(f"<span class='key'>{_text(word)}</span>" for word in group["keywords"])
        examples = "".join(f"<blockquote>{_text(text)}</blockquote>" for text in group["examples"])
        cards.append(
            f"<div class='card'><h3>{_text(', '.join(group['keywords'][:3]) or 'unnamed')}</h3><span class='note'>"
            f"{group['recent']} recent prompts ({group['share']:.1%}), {group['reference']} in training; routed as "
            f"{_text(group['routed_as'])}; {group['far_share']:.0%} unlike anything trained on</span>"
            f"<div>{keys}</div>{examples}</div>"
        )
    return f"<div class='cards'>{''.join(cards)}</div>" if cards else ""


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>" if body else ""


def _table(head: Iterable[str], rows: Iterable[list[str]]) -> str:
    heads = "".join(f"<th>{_text(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


def _markdown_table(head: Iterable[str], rows: Iterable[list[str]]) -> list[str]:
    head = list(head)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _text(text: object) -> str:
    return escape(str(text), quote=True)


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;").replace("\n", " ")

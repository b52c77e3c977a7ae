"""What the paper says, what was measured, and the verdict, which follows from the intervals alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from components.extrapolation.catalogue import CATALOGUE
from components.extrapolation.study import Measured
from components.extrapolation.summary import Interval, median_interval, ratio

Verdict = Literal["holds", "holds only because", "doesn't hold"]

EXPLANATIONS = {
    "least_squares": "the answer is as good as linear: least squares does at least as well",
    "har": "linear HAR does at least as well",
    "mlp_no_bias": "scale equivariance is enough: an MLP without biases does at least as well",
    "mlp_skip": "the linear skip is enough: an MLP with one does at least as well",
    "lstm_normalised": "scaling is enough: a scale-normalised LSTM does at least as well",
    "implicit_no_feedback": "feedback isn't needed: with A = 0 it does at least as well",
}
"""Simpler models; where an implicit model doesn't beat one, that one explains its success."""
ABLATED = ("identity", "add", "subtract", "rolling_average", "rolling_argmax")
LINEAR = ("identity", "add", "subtract", "rolling_average")
FLAT = 1.25
"""A curve is flat if its far end is at most this factor above its start."""
EXACT = 1e-6
"""An error is none if it is at most this share of the targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the verdict table."""

    problem: str
    claim: str
    """What the paper, or an earlier rerun of it, says."""
    measured: str
    verdict: Verdict
    because: str = ""
    """Completes 'holds only because'."""
    seeds: int
    coverage: float
    """Of the intervals; see summary.LEVEL."""


def findings(measured: Sequence[Measured], metrics: dict[str, str]) -> tuple[Finding, ...]:
    """Every claim that the measured problems allow to judge, the paper's first.

    Args:
        measured: of any problems.
        metrics: the metric of each problem.
    """
    by_problem: dict[str, list[Measured]] = {}
    for row in measured:
        by_problem.setdefault(row.problem, []).append(row)
    found = [
        superiority(rows, name, champion, metrics[name])
        for name, rows in by_problem.items()
        for champion in CATALOGUE[name].champions
    ]
    found += [ablation(by_problem[name], name, metrics[name]) for name in ABLATED if name in by_problem]
    found += [exactness(by_problem[name], name) for name in LINEAR if name in by_problem]
    further: dict[str, Callable[[list[Measured], str], Finding]] = {
        "rolling_argmax": equivariance,
        "epicentres": skip_share,
        "volatility": no_advantage,
    }
    found += [judge(by_problem[name], metrics[name]) for name, judge in further.items() if name in by_problem]
    return (*found, *(depth(by_problem[name], name) for name in ABLATED if name in by_problem))


def superiority(rows: list[Measured], name: str, champion: str, metric: str) -> Finding:
    """Does the implicit model beat the paper's baselines under shift, and no simpler model do as well?"""
    shifted = _paper_tests(rows)
    rivals = {rival: ratio(shifted, champion, rival, metric) for rival in CATALOGUE[name].rivals}
    unbeaten = [rival for rival, interval in rivals.items() if not interval.high < 1]
    present = {row.method for row in rows}
    simpler = {
        control: ratio(shifted, champion, control, metric)
        for control in EXPLANATIONS
        if control in present and not (champion == "implicit_rnn" and control == "implicit_no_feedback")
    }
    enough = [control for control, interval in simpler.items() if not interval.high < 1]
    shown = {**rivals, **{control: simpler[control] for control in enough}}
    text = f"{champion}'s error over that of " + "; ".join(f"{other} {_text(i)}" for other, i in shown.items())
    verdict: Verdict = "doesn't hold" if unbeaten else "holds only because" if enough else "holds"
    because = "; ".join(EXPLANATIONS[control] for control in enough) if verdict == "holds only because" else ""
    return _finding(rows, CATALOGUE[name].paper_says, text, verdict, because, champion=champion)


def ablation(rows: list[Measured], name: str, metric: str) -> Finding:
    """Is the full A better than a strictly upper triangular one (no feedback) at shift 100?"""
    shifted = [row for row in _paper_tests(rows) if row.at == 100]
    interval = ratio(shifted, "implicit", "implicit_triangular", metric)
    verdict: Verdict = "holds" if interval.high < 1 else "doesn't hold"
    text = f"error with full A over error with strictly upper triangular A at shift 100: {_text(interval)}"
    return _finding(rows, "feedback (a full A) helps to extrapolate", text, verdict)


def exactness(rows: list[Measured], name: str) -> Finding:
    """Does least squares solve the problem at every shift?"""
    shares = [
        max(row.error / row.target_rms for row in rows if row.method == "least_squares" and row.seed == seed)
        for seed in _seeds(rows)
    ]
    interval = median_interval(shares)
    verdict: Verdict = "holds" if interval.high <= EXACT else "doesn't hold"
    text = f"least squares' largest error as a share of the targets: {_text(interval)}"
    return _finding(rows, "the problem is linear: least squares solves it exactly (earlier rerun)", text, verdict)


def equivariance(rows: list[Measured], metric: str) -> Finding:
    """Is the implicit model's curve flat in scale, is that of an MLP without biases, and does an offset break both?"""
    text, flat, broken = [], True, True
    for method in ("implicit", "mlp_no_bias"):
        growth = {family: _growth(rows, method, family, metric) for family in ("scale", "offset")}
        flat &= growth["scale"].high <= FLAT
        broken &= growth["offset"].low > FLAT
        text += [f"{method}: {family} {_text(interval)}" for family, interval in growth.items()]
    verdict: Verdict = "holds" if flat and broken else "doesn't hold"
    claim = "the flat curve is the scale equivariance of networks without biases; an offset breaks it (earlier rerun)"
    return _finding(rows, claim, "error at the far end over error in distribution, " + "; ".join(text), verdict)


def skip_share(rows: list[Measured], metric: str) -> Finding:
    """Is the implicit model the best of all, and does the linear skip alone bring most of its gain over the MLP?"""
    shifted = _paper_tests(rows)
    others = sorted({row.method for row in rows} - {"implicit"})
    behind = [other for other in others if ratio(shifted, "implicit", other, metric).high < 1]
    shares = []
    for seed in _seeds(rows):
        mean = {
            method: sum(errors := [row.error for row in shifted if row.method == method and row.seed == seed])
            / len(errors)
            for method in ("implicit", "mlp", "mlp_skip")
        }
        gain = mean["mlp"] - mean["implicit"]
        shares.append((mean["mlp"] - mean["mlp_skip"]) / gain if gain > 0 else 0.0)
    interval = median_interval(shares)
    missing = [other for other in others if other not in behind]
    verdict: Verdict = "holds" if not missing and interval.low > 0.5 else "doesn't hold"
    text = f"not shown to be beaten: {', '.join(missing) or 'none'}; the skip's share of the gain over the MLP "
    claim = "the implicit model is best, but most of its gain is the linear skip (earlier rerun)"
    return _finding(rows, claim, text + _text(interval), verdict)


def no_advantage(rows: list[Measured], metric: str) -> Finding:
    """Does no implicit model beat HAR?"""
    shifted = _paper_tests(rows)
    intervals = {champion: ratio(shifted, champion, "har", metric) for champion in CATALOGUE["volatility"].champions}
    verdict: Verdict = "doesn't hold" if any(i.high < 1 for i in intervals.values()) else "holds"
    text = "error over that of HAR: " + "; ".join(f"{name} {_text(i)}" for name, i in intervals.items())
    return _finding(rows, "implicit models have no advantage over linear HAR (earlier rerun)", text, verdict)


def depth(rows: list[Measured], name: str) -> Finding:
    """Do iterations grow with the shift, and still when they are counted relative to the state?"""
    growth = {}
    for kind in ("absolute_iterations", "relative_iterations"):
        per_seed = []
        for seed in _seeds(rows):
            found = [
                row for row in rows if row.method == "implicit" and row.seed == seed and row.family == _first(rows)
            ]
            near, far = min(found, key=lambda row: row.at), max(found, key=lambda row: row.at)
            per_seed.append(getattr(far, kind) / getattr(near, kind))
        growth[kind] = median_interval(per_seed)
    grows, relative = growth["absolute_iterations"].low > 1.05, growth["relative_iterations"].low > 1.05
    verdict: Verdict = "holds" if grows and relative else "holds only because" if grows else "doesn't hold"
    text = (
        f"iterations at the largest shift over those in distribution: absolute tolerance "
        f"{_text(growth['absolute_iterations'])}, relative tolerance {_text(growth['relative_iterations'])}"
    )
    because = "the tolerance is absolute; relative to the state the depth stays" if grows and not relative else ""
    return _finding(rows, "the implicit model's depth grows with the shift", text, verdict, because)


def _finding(
    rows: list[Measured], claim: str, measured: str, verdict: Verdict, because: str = "", champion: str = ""
) -> Finding:
    seeds = _seeds(rows)
    return Finding(
        problem=rows[0].problem + (f" ({champion})" if champion not in ("", "implicit") else ""),
        claim=claim,
        measured=measured,
        verdict=verdict,
        because=because,
        seeds=len(seeds),
        coverage=median_interval([float(seed) for seed in seeds]).coverage,
    )


def _first(rows: list[Measured]) -> str:
    """The family that the paper shifts; others were added."""
    return rows[0].family


def _paper_tests(rows: list[Measured]) -> list[Measured]:
    return [row for row in rows if row.family == _first(rows) and not row.inside]


def _growth(rows: list[Measured], method: str, family: str, metric: str) -> Interval:
    """Error at the far end of a family over that at its near end, as a ratio of two models would be taken."""
    mine = [row for row in rows if row.method == method and row.family == family]
    floor = 1e-3 if metric == "error rate" else 1e-12
    grown = []
    for seed in _seeds(rows):
        own = sorted((row for row in mine if row.seed == seed), key=lambda row: row.at)
        grown.append(max(own[-1].error, floor) / max(own[0].error, floor))
    return median_interval(grown)


def _seeds(rows: Iterable[Measured]) -> list[int]:
    return sorted({row.seed for row in rows})


def _text(interval: Interval) -> str:
    return f"{interval.median:.3g} [{interval.low:.3g}, {interval.high:.3g}]"

"""All checks on one set of recent prompts, and their verdict.

Shapes: N recent and K reference prompts, M candidates, C classes (the tasks and unassigned).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from components.drift.config import DriftConfig
from components.drift.conversations import one_each
from components.drift.novel import NovelGroup, novel_groups
from components.drift.observed import QualityGap, quality_gap
from components.drift.shares import Shift, class_counts, mix_shift, share_rise
from components.drift.sight import Sight
from components.drift.two_sample import energy_test

EXAMPLES = 3
LONGEST_EXAMPLE = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One figure, its interval and bound, and whether it alarms: p <= level and figure beyond the threshold."""

    name: str
    figure: float
    low: float
    high: float
    threshold: float
    p: float
    level: float
    alarm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What was found; plain enough for JSON."""

    verdict: Literal["drift", "no drift"]
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    recent: int
    reference: int
    unassigned: tuple[float, float]
    """Share of recent and of reference prompts."""
    mix: tuple[dict[str, Any], ...]
    """Each task's label with its share of recent and reference prompts."""
    groups: tuple[dict[str, Any], ...]
    """Novel groups, largest first: keywords, examples, sizes, p, and where the router sends them. The `tested` ones
    alarm by themselves, and their shares are the check's figure; the others tell what is far away or unassigned."""
    quality: dict[str, Any] | None
    """Predicted and observed quality; None: no outcomes to judge by."""
    period: tuple[str, str] | None = None
    """When the first and the last recent prompt was asked; None: unknown."""
    left_out: int = 0
    """Further turns of the conversations that the recent prompts are one each of; only the check of quality reads
    them, and there a conversation counts once."""
    unknown: Mapping[str, int] = field(default_factory=dict)
    """Outcomes that no check read, by model: the router doesn't know it."""

    def as_dict(self) -> dict[str, Any]:
        """As drift.json holds it."""
        return asdict(self)


def detect(
    sight: Sight,
    labels: Sequence[str],
    observed_NM: NDArray[np.float64] | None,
    models: tuple[str, ...],
    config: DriftConfig,
    seed: int,
    conversation_N: NDArray[np.integer] | None = None,
) -> DriftReport:
    """Compares recent prompts with the reference: tasks, embeddings, novel groups and, with outcomes, quality.

    Turns of one conversation are alike, and checks that take prompts for independent would take that for drift: they
    look at one of each conversation. In the check of quality a conversation counts once, by the mean of its outcomes.

    Args:
        sight: both sides as the router sees them.
        labels: of the router's T tasks.
        observed_NM: observed quality, nan where none; None: no outcomes.
        models: names of the M candidates.
        config: thresholds.
        seed: of samples, permutations and resamples; the same seed gives the same report.
        conversation_N: recent prompts of one conversation share a number; below 0, or None: they belong to none.

    Raises:
        ValueError: fewer recent prompts of different conversations than config.minimum_prompts, or parts that don't
            fit together.
    """
    seeds = [int(own.generate_state(1)[0]) for own in np.random.SeedSequence(seed).spawn(8)]
    asked_NM, talk_N = sight.quality_NM, np.full(sight.task_N.size, -1) if conversation_N is None else conversation_N
    sight = sight.take(one_each(talk_N, seeds[7]))
    recent, reference = sight.task_N.size, sight.task_K.size
    if recent < config.minimum_prompts:
        counted = " of different conversations" if recent < talk_N.size else ""
        raise ValueError(
            f"{recent} prompts{counted} are too few to judge drift, at least {config.minimum_prompts} needed"
        )
    gap = None
    if observed_NM is not None and asked_NM is not None:
        gap = quality_gap(asked_NM, observed_NM, models, config.quality_gap, seeds[0], config.resamples, talk_N)
    tests = 5 + (gap is not None) + (gap is not None and gap.worst is not None)
    level = config.level / tests
    recent_C, reference_C = (class_counts(side, len(labels)) for side in (sight.task_N, sight.task_K))
    some_ND, known_KD = (
        side_ND[np.sort(np.random.default_rng(own).permutation(side_ND.shape[0])[: config.sample])]
        for side_ND, own in ((sight.recent_ND, seeds[1]), (sight.reference_KD, seeds[2]))
    )
    groups, least_p = novel_groups(sight.recent_ND, sight.reference_KD, sight.prompts, config, level, seeds[3])
    unassigned = share_rise(sight.task_N < 0, sight.task_K < 0, seeds[4], config.resamples)
    far = share_rise(sight.far_N, sight.far_K, seeds[4], config.resamples)
    moved = mix_shift(recent_C, reference_C, seeds[5], permutations=config.permutations, resamples=config.resamples)
    apart = energy_test(some_ND, known_KD, seeds[6], permutations=config.permutations, resamples=config.resamples)
    checks = [
        _check("unassigned share, rise", unassigned, config.unassigned_rise, level),
        _check("far-away share, rise", far, config.far_rise, level),
        _check("task mix, stability index", moved, config.stability_index, level),
        _check("embeddings, energy coefficient", apart, config.energy, level),
        _check("prompts in novel groups, share", _grown(groups, recent, least_p), config.novel_share, level),
    ]
    explained = _explained(sight, groups, config, seeds[3]) if checks[0].alarm or checks[1].alarm else ()
    if gap is not None:
        checks.append(_check("predicted less observed quality", gap.shift, config.quality_gap, level))
        if gap.worst is not None:
            name = f"predicted less observed quality of {gap.worst.model} ({gap.worst.outcomes} outcomes)"
            checks.append(_check(name, gap.worst.shift, config.quality_gap, level))
    reasons = [
        f"{one.name}: {one.figure:.3f} [{one.low:.3f}, {one.high:.3f}], threshold {one.threshold:g}"
        for one in checks
        if one.alarm
    ]
    named = [*groups, *explained]
    reasons += [f"novel: {', '.join(group.keywords[:4]) or 'unnamed'} ({group.recent} prompts)" for group in named]
    return DriftReport(
        verdict="drift" if any(one.alarm for one in checks) else "no drift",
        reasons=tuple(reasons),
        checks=tuple(checks),
        recent=recent,
        reference=reference,
        unassigned=(float(np.mean(sight.task_N < 0)), float(np.mean(sight.task_K < 0))),
        mix=_mix(labels, recent_C, reference_C),
        groups=tuple(
            _group(group, sight, labels, tested=tested)
            for tested, some in ((True, groups), (False, explained))
            for group in some
        ),
        quality=None if gap is None else _quality(gap),
        left_out=talk_N.size - recent,
    )


def _check(name: str, shift: Shift, threshold: float, level: float) -> Check:
    alarm = shift.p <= level and abs(shift.figure) >= threshold
    return Check(
        name=name,
        figure=shift.figure,
        low=shift.low,
        high=shift.high,
        threshold=threshold,
        p=shift.p,
        level=level,
        alarm=bool(alarm),
    )


def _explained(sight: Sight, found: tuple[NovelGroup, ...], config: DriftConfig, seed: int) -> tuple[NovelGroup, ...]:
    """What the prompts are that alarmed as far away or unassigned, where no significant group tells it.

    The alarm has been given; these groups name its reason and are not tested again.
    """
    stray_N, stray_K = (sight.far_N | (sight.task_N < 0), sight.far_K | (sight.task_K < 0))
    for group in found:
        stray_N[group.row_K] = False
    return novel_groups(
        sight.recent_ND, sight.reference_KD, sight.prompts, config, 1.0, seed, stray=(stray_N, stray_K)
    )[0]


def _grown(groups: tuple[NovelGroup, ...], recent: int, p: float) -> Shift:
    """Share of recent prompts in novel groups with its Wilson interval (1927); none: the interval starts at 0."""
    held = sum(group.recent for group in groups) / recent
    z2 = 1.959964**2
    middle = (held + z2 / (2 * recent)) / (1 + z2 / recent)
    half = np.sqrt(z2 * (held * (1 - held) / recent + z2 / (4 * recent**2))) / (1 + z2 / recent)
    return Shift(figure=held, low=max(0.0, float(middle - half)), high=min(1.0, float(middle + half)), p=p)


def _mix(
    labels: Sequence[str], recent_C: NDArray[np.int64], reference_C: NDArray[np.int64]
) -> tuple[dict[str, Any], ...]:
    share_C, known_C = recent_C / recent_C.sum(), reference_C / reference_C.sum()
    return tuple(
        {"task": label, "recent": float(new), "reference": float(old)}
        for label, new, old in zip(("unassigned", *labels), share_C, known_C, strict=True)
    )


def _group(group: NovelGroup, sight: Sight, labels: Sequence[str], *, tested: bool) -> dict[str, Any]:
    counts = class_counts(sight.task_N[group.row_K], len(labels))
    texts = () if sight.prompts is None else sight.prompts
    return {
        "keywords": list(group.keywords),
        "recent": group.recent,
        "reference": group.reference,
        "share": group.share,
        "p": group.p,
        "tested": tested,
        "far_share": float(sight.far_N[group.row_K].mean()),
        "routed_as": ("unassigned", *labels)[int(counts.argmax())],
        "examples": [texts[row][:LONGEST_EXAMPLE] for row in group.examples[:EXAMPLES]] if texts else [],
    }


def _quality(gap: QualityGap) -> dict[str, Any]:
    return {
        "predicted": gap.predicted,
        "observed": gap.observed,
        "gap": [gap.shift.figure, gap.shift.low, gap.shift.high],
        "prompts": gap.prompts,
        "by_candidate": gap.by_candidate,
        "candidates": [
            {
                "model": one.model,
                "gap": [one.shift.figure, one.shift.low, one.shift.high],
                "p": one.shift.p,
                "outcomes": one.outcomes,
            }
            for one in gap.candidates
        ],
    }

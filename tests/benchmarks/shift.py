"""What a router is worth on prompts unlike those it learnt from, and how far it is from what can be learnt."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.evaluation.bootstrap import intervals
from components.evaluation.rewording import reworded
from components.evaluation.shifts import Shift
from components.tables.sampling import evenly
from flows.stations.blocks import Block
from tests.benchmarks.blocks import BLOCKS, DATED
from tests.benchmarks.limits_case import by_halves, by_judges, by_twins
from tests.benchmarks.one_answer_logs import sentence_encoder
from tests.benchmarks.processes import as_they_come
from tests.benchmarks.shift_case import Answers, Floats, Methods, figures, pooled, taught
from tests.benchmarks.shift_divisions import KINDS, divisions
from tests.benchmarks.shift_logs import Logs, logs_of, new_tasks, said_again
from tests.benchmarks.simulated_board import SIMULATED
from tests.benchmarks.spread import Spread
from tests.benchmarks.table import Cell, Table
from tests.benchmarks.translated import LANGUAGES, tasks

REWORDED, TASKS, FEWEST = 400, 700, 30
"""Prompts that are said in other words at most; new simulated tasks; prompts that a ceiling needs."""
UNKNOWN = "not estimable"
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A block and a kind of shift."""

    block: Block
    kind: str
    """One of KINDS."""
    fifths: int
    """Random ones that are judged in turn, in [1, 5]."""


def run(spread: Spread) -> Table:
    """Every block and shift.

    Args:
        spread: usually all blocks, the dated one and the simulated world; its seeds are the random fifths that are
            judged in turn, five at most.

    Raises:
        Skipped: the blocks' folders aren't there.
    """
    usual = [*(block.name for block in BLOCKS), DATED.name]
    chosen = spread.encoded(usual)
    if not spread.blocks:
        chosen.append(Block(name=SIMULATED))
    sentence_encoder(spread.cache)
    cases = [Case(block=block, kind=kind, fifths=min(spread.seeds, 5)) for block in chosen for kind in KINDS]
    given = [(case, spread.data, spread.stored, spread.cache) for case in cases]
    found: dict[int, list[dict[str, Cell]]] = {}
    for place, rows in as_they_come(case_rows, given, spread.workers):
        found[place] = rows
        for row in rows:
            print(row, flush=True)
        if spread.out is not None:
            done = [row for at in sorted(found) for row in found[at]]
            spread.out.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return Table(
        name="shift",
        claim=(
            "Mean quality of the policy `best` of routers trained quickly, and of what learnt from the same prompts, "
            "on prompts that nothing had seen; near-duplicates and conversations on one side. Unguarded: the router's "
            "predictions alone, with neither margin nor novelty. Best single: of the training prompts. Less ...: "
            "router less the other, in points, with 95 % bootstrap intervals over groups. Ceiling: what can be learnt "
            "at all is at least this, by the choice that other answers to the same prompt (half of ten samples, judged "
            "on the other half) or to its near-duplicates make beside the router's prediction; simulated: the best of "
            "the expected qualities, which are known. Judged thrice: the choice by one judge, judged by the two "
            "others, which leaves the luck of the answers in. Oracle: of the one outcome that there is. Flips: "
            "decisions other than for the same prompts as they were. New tasks: simulated ones in English, then said "
            "otherwise. Novel: prompts that the router takes for unlike any in training, and sends to its best single "
            "candidate."
        ),
        rows=[row for place in sorted(found) for row in found[place]],
        summary={},
    )


def case_rows(case: Case, data: Path, vectors: Path, cache: Path) -> list[dict[str, Cell]]:
    """The case's rows of the table."""
    logs = logs_of(case.block, data, vectors, cache, SEED)
    shifts = divisions(logs, case.kind, case.fifths, SEED)
    if case.kind == "in distribution":
        return _in_distribution(logs, list(shifts), cache)
    rows = []
    for shift in shifts:
        methods = taught(logs, shift, SEED)
        answers = methods.answers(methods.board.take(shift.test_K))
        rows.append(_row(logs, shift.name, answers, ceiling=_whole_ceiling(logs, shift.test_K, answers)))
    return rows


def _in_distribution(logs: Logs, shifts: list[Shift], cache: Path) -> list[dict[str, Cell]]:
    """The control, the prompts of which more is known, and the first fifth in other words."""
    taughts = [taught(logs, shift, SEED) for shift in shifts]
    answers = pooled([one.answers(one.board.take(shift.test_K)) for one, shift in zip(taughts, shifts, strict=True)])
    tested_K = np.concatenate([shift.test_K for shift in shifts])
    rows = [_row(logs, "in distribution", answers, ceiling=_whole_ceiling(logs, tested_K, answers))]
    twin_K, reached_K = by_twins(answers.quality_KM, answers.predicted_KM, answers.group_K, SEED)
    if logs.expected_NM is None and twin_K.size >= FEWEST:
        twins = answers.take(twin_K)
        rows.append(_row(logs, "those with twins", twins, ceiling=_interval(reached_K, twins)))
    if logs.grades is not None:
        rows += _judged_thrice(logs, tested_K, answers)
    first, said_K = taughts[0], shifts[0].test_K[evenly(shifts[0].test_K.size, REWORDED)]
    test, said = first.board.take(said_K), logs.prompts["prompt"].gather(said_K).to_list()
    before = first.answers(test)
    ceiling = _whole_ceiling(logs, said_K, before)
    for name in ("polite", "hasty"):
        after = first.answers(said_again(test, reworded(said, name, SEED), first.features, cache))
        rows.append(_row(logs, f"reworded: {name}", after, ceiling=ceiling, before=before))
    return rows + (_new_tasks(logs, first, shifts[0], cache) if logs.name == SIMULATED else [])


def _new_tasks(logs: Logs, methods: Methods, shift: Shift, cache: Path) -> list[dict[str, Cell]]:
    """New tasks of the simulated world in English, in other languages and in other words."""
    boards, expected_KM = new_tasks(tasks(TASKS, SEED), logs, shift.train_K, methods.features, cache, SEED)
    english = methods.answers(boards["English"][0])
    rows = []
    for way, (board, rows_K) in boards.items():
        answers = methods.answers(board)
        best = _interval(expected_KM[rows_K].max(axis=1), answers)
        name = f"language: {way}" if way in LANGUAGES else f"new tasks: {way}"
        rows.append(_row(logs, name, answers, ceiling=best, before=english.take(rows_K)))
    return rows


def _judged_thrice(logs: Logs, tested_K: np.ndarray, answers: Answers) -> list[dict[str, Cell]]:
    """Prompts whose answers several judges graded, with the candidates that they graded."""
    assert logs.grades is not None
    models, judges = (sorted(set(logs.grades[name])) for name in ("model", "judge"))
    grade = {(prompt, model, judge): value for prompt, _, _, model, judge, value in logs.grades.iter_rows()}
    ids = logs.board.prompt_id_N[tested_K]
    cells = np.array([[[grade.get((i, m, j), np.nan) for j in judges] for m in models] for i in ids])
    graded_K = np.flatnonzero(~np.isnan(cells).any(axis=(1, 2)))
    columns = np.array([logs.board.models.index(model) for model in models])
    part = answers.take(graded_K).among(columns, cells[graded_K].mean(axis=2))
    reached_K = by_judges(cells[graded_K], part.predicted_KM, part.group_K, SEED)
    return [_row(logs, "those judged thrice", part, ceiling=_interval(reached_K, part))]


def _whole_ceiling(logs: Logs, tested_K: np.ndarray, answers: Answers) -> str:
    if logs.expected_NM is not None:
        return _interval(logs.expected_NM[tested_K].max(axis=1), answers)
    if logs.samples > 1:
        got_K = by_halves(answers.quality_KM, logs.samples, answers.predicted_KM, answers.group_K, SEED)
        return _interval(got_K, answers)
    return UNKNOWN


def _interval(got_K: Floats, answers: Answers) -> str:
    found = intervals(got_K[:, None], SEED, group_N=answers.group_K)[0]
    return f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"


def _row(
    logs: Logs, shift: str, answers: Answers, *, ceiling: str = UNKNOWN, before: Answers | None = None
) -> dict[str, Cell]:
    return {"block": logs.name, "shift": shift, **figures(answers, ceiling, SEED, before)}

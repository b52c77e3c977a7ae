"""Blocks of real logs through the whole flow, judged on prompts that the flow never had.

A fifth of each block is kept back, near-duplicates together. `pointsman retrain` runs on the rest in a home of its own,
as a person would run it, and the bundle routes the prompts kept back by its operating policy and by `best`.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.typing import NDArray

from components.evaluation.folds import grouped_folds
from components.evaluation.paired import difference, ratio
from components.evaluation.rewording import REWORDINGS, reworded
from components.tables.board import Board
from components.tables.store import Tables, read_tables, write_tables
from pointsman import Router
from tests.benchmarks.blocks import chosen_blocks
from tests.benchmarks.child import ROOT
from tests.benchmarks.parity import words_board
from tests.benchmarks.table import Cell, Table

Floats = NDArray[np.float64]
FOLDS, SIDE = 5, 0.025
ANSWER = re.compile(r"^(verdict|operating policy|encoder|bundle): (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one policy's choices got on prompts kept back, beside the best candidate of the prompts learnt from."""

    got_K: Floats
    single_K: Floats
    paid_usd_K: Floats
    single_usd_K: Floats
    group_K: NDArray[np.int64]
    """Near-duplicate group of each prompt."""
    changed_K: NDArray[np.bool_]
    """Whether the operating policy chose another candidate for the prompt as it was logged."""

    def cells(self) -> dict[str, Cell]:
        """Means with 95 % intervals."""
        gain = difference(self.got_K, self.single_K, self.group_K).interval(SIDE)
        known = not (np.isnan(self.paid_usd_K).any() or np.isnan(self.single_usd_K).any())
        cost = ratio(self.paid_usd_K, self.single_usd_K, self.group_K).interval(SIDE) if known else None
        return {
            "quality": float(self.got_K.mean()),
            "best single": float(self.single_K.mean()),
            "gain, points": 100 * gain.mean,
            "low": 100 * gain.low,
            "high": 100 * gain.high,
            "cost, %": None if cost is None else 100 * cost.mean,
            "cost low": None if cost is None else 100 * cost.low,
            "cost high": None if cost is None else 100 * cost.high,
            "changed, %": 100 * float(self.changed_K.mean()),
        }


def run(data: Path, cache: Path, *, blocks: Sequence[str] = (), encoder: str = "auto", divisions: int = 1) -> Table:
    """A retrain of each block and division by the command line, and what its router is worth on the prompts kept back.

    Args:
        data: folder of the standard blocks.
        cache: where the tokenizer is exported to, which finds near-duplicates.
        blocks: names; none: all.
        encoder: as `--encoder` takes it.
        divisions: how many of the five fifths are kept back in turn, in [1, 5].

    Raises:
        Skipped: the blocks' folders aren't there.
        RuntimeError: a retrain printed no bundle; with the end of what it said.
    """
    rows: list[dict[str, Cell]] = []
    for block in chosen_blocks(data, blocks):
        board, texts = words_board(data, block, cache)
        tables = read_tables(data / block.folder)
        found: dict[str, list[Worth]] = {}
        for division, (learn_L, kept_K) in enumerate(
            islice(grouped_folds(board.group_N, board.benchmark_N, FOLDS, 0), divisions), start=1
        ):
            with TemporaryDirectory() as folder:
                home = Path(folder)
                write_tables(part_of(tables, board.take(learn_L)), home / "logs")
                start = time.perf_counter()
                said = retrained(home, encoder)
                seconds = time.perf_counter() - start
                operating = said["operating policy"].split()[0]
                chosen = choices(Router.load(home / said["bundle"]), texts.gather(kept_K).to_list(), operating)
            for policy, choice_K in chosen.items():
                worth = worth_of(board, learn_L, kept_K, choice_K, chosen["operating"])
                found.setdefault(policy, []).append(worth)
                about = {"verdict": said["verdict"], "encoder": said["encoder"].split()[0], "operating": operating}
                sizes = {"learnt from": int(learn_L.size), "judged on": int(kept_K.size), "seconds": seconds}
                rows.append(
                    {"block": block.name, "division": str(division), "policy": policy}
                    | {**about, **worth.cells(), **sizes}
                )
            # an hour of work shouldn't wait for its end to be seen
            print(block.name, division, chosen["operating"].size, found["operating"][-1].cells(), flush=True)
        if divisions > 1:
            rows += [
                {"block": block.name, "division": "all", "policy": policy}
                | {**pooled(worths).cells(), "judged on": sum(worth.got_K.size for worth in worths)}
                for policy, worths in found.items()
            ]
    return Table(
        name="held_back",
        claim=(
            "A fifth of each block is kept back, near-duplicates together; `pointsman retrain` learns from the rest, "
            "and its bundle routes the prompts kept back: by its operating policy, by `best`, and by the operating "
            "policy with every prompt in other words: polite (a greeting and thanks), careless (small letters), spaced "
            "(blanks and empty lines), hasty (typing errors). Gain and cost are against the candidate that was best in "
            "the part learnt from, with 95 % intervals; a cost that isn't known for every outcome is a dash. Changed: "
            "decisions other than the operating policy's on the prompts as they were logged. Division `all`: the "
            "prompts of every division together, each judged by the router that hadn't had it."
        ),
        rows=rows,
        summary={},
    )


def choices(router: Router, texts: list[str], operating: str) -> dict[str, NDArray[np.str_]]:
    """Chosen candidates' names by policy, and by the operating policy with the prompts in other words.

    Args:
        router: of the bundle.
        texts: the prompts kept back.
        operating: the policy that the bundle declares.
    """
    asked = {"operating": (texts, operating), "best": (texts, "best")} | {
        f"operating, {name}": (reworded(texts, name, 0), operating) for name in REWORDINGS
    }
    return {name: np.array(router.route(said, policy).candidate) for name, (said, policy) in asked.items()}


def part_of(tables: Tables, board: Board) -> Tables:
    """The rows of the tables that a board was made of.

    Args:
        tables: with at least the board's prompts and candidates.
        board: which of them.
    """
    prompts, models = pl.Series(board.prompt_id_N).implode(), pl.Series(board.models).implode()
    return replace(
        tables,
        prompts=tables.prompts.filter(pl.col("prompt_id").is_in(prompts)),
        candidates=tables.candidates.filter(pl.col("model").is_in(models)),
        outcomes=tables.outcomes.filter(pl.col("prompt_id").is_in(prompts), pl.col("model").is_in(models)),
        grades=None,
        responses=None,
    )


def retrained(home: Path, encoder: str) -> dict[str, str]:
    """What `pointsman retrain` printed at its end: verdict, operating policy, encoder and bundle.

    Args:
        home: holds `logs`; everything that the retrain writes goes here.
        encoder: as `--encoder` takes it.

    Raises:
        RuntimeError: it printed no bundle.
    """
    command = [sys.executable, "-m", "flows.cli", "retrain", "--data", str(home / "logs"), "--encoder", encoder]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "POINTSMAN_HOME": str(home)}, capture_output=True, text=True, check=False
    )
    said = dict(ANSWER.findall(done.stdout))
    if "bundle" not in said:
        raise RuntimeError(f"retrain ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")
    return said


def worth_of(
    board: Board,
    learn_L: NDArray[np.intp],
    kept_K: NDArray[np.intp],
    chosen_K: NDArray[np.str_],
    operating_K: NDArray[np.str_],
) -> Worth:
    """Quality and cost of choices on the prompts kept back, and of the candidate that was best on the others.

    Args:
        board: the whole block.
        learn_L: rows learnt from.
        kept_K: rows kept back.
        chosen_K: a candidate's name for each of these.
        operating_K: the operating policy's on the prompts as they were logged.
    """
    single = int(board.quality_NM[learn_L].mean(axis=0).argmax())
    choice_K = np.array([board.models.index(name) for name in chosen_K])
    return Worth(
        got_K=board.quality_NM[kept_K, choice_K],
        single_K=board.quality_NM[kept_K, single],
        paid_usd_K=board.cost_usd_NM[kept_K, choice_K],
        single_usd_K=board.cost_usd_NM[kept_K, single],
        group_K=board.group_N[kept_K],
        changed_K=chosen_K != operating_K,
    )


def pooled(worths: Sequence[Worth]) -> Worth:
    """The prompts of several divisions together, which share none."""
    return Worth(
        **{each.name: np.concatenate([getattr(worth, each.name) for worth in worths]) for each in fields(Worth)}
    )

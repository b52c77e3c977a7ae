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
from dataclasses import replace
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

FOLDS, SIDE = 5, 0.025
ANSWER = re.compile(r"^(verdict|operating policy|encoder|bundle): (.+)$", re.MULTILINE)


def run(data: Path, cache: Path, *, blocks: Sequence[str] = (), encoder: str = "auto") -> Table:
    """A retrain of each block by the command line, and what its router is worth on the prompts kept back.

    Args:
        data: folder of the standard blocks.
        cache: where the tokenizer is exported to, which finds near-duplicates.
        blocks: names; none: all.
        encoder: as `--encoder` takes it.

    Raises:
        Skipped: the blocks' folders aren't there.
        RuntimeError: a retrain printed no bundle; with the end of what it said.
    """
    rows: list[dict[str, Cell]] = []
    for block in chosen_blocks(data, blocks):
        board = words_board(data, block, cache)
        learn_L, kept_K = next(grouped_folds(board.group_N, board.benchmark_N, FOLDS, 0))
        tables = read_tables(data / block.folder)
        with TemporaryDirectory() as folder:
            home = Path(folder)
            write_tables(part_of(tables, board.take(learn_L)), home / "logs")
            start = time.perf_counter()
            said = retrained(home, encoder)
            seconds = time.perf_counter() - start
            texts = pl.DataFrame({"prompt_id": board.prompt_id_N[kept_K]}).join(
                tables.prompts.select("prompt_id", "prompt"), on="prompt_id", how="left", maintain_order="left"
            )["prompt"]
            router = Router.load(home / said["bundle"])
            operating = said["operating policy"].split()[0]
            plain = router.route(texts.to_list(), operating).candidate
            asked = {operating: plain, "best": router.route(texts.to_list(), "best").candidate}
            for name in REWORDINGS:
                asked[f"{operating}, {name}"] = router.route(reworded(texts.to_list(), name, 0), operating).candidate
            rows += [
                {
                    **{"block": block.name, "learnt from": int(learn_L.size), "judged on": int(kept_K.size)},
                    **{"verdict": said["verdict"], "encoder": said["encoder"].split()[0], "policy": policy},
                    **worth(board, learn_L, kept_K, chosen),
                    "changed, %": 100
                    * float(np.mean([one != other for one, other in zip(chosen, plain, strict=True)])),
                    "seconds": seconds,
                }
                for policy, chosen in asked.items()
            ]
    return Table(
        name="held_back",
        claim=(
            "A fifth of each block is kept back, near-duplicates together; `pointsman retrain` learns from the rest, "
            "and its bundle routes the prompts kept back: by its operating policy, by `best`, and by the operating "
            "policy with every prompt in other words: polite (a greeting and thanks), careless (small letters), spaced "
            "(blanks and empty lines), hasty (typing errors). Gain and cost are against the candidate that was best in "
            "the part learnt from, with 95 % intervals; a cost that isn't known for every outcome is a dash. Changed: "
            "decisions other than the operating policy's on the prompts as they were logged."
        ),
        rows=rows,
        summary={},
    )


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


def worth(board: Board, learn_L: NDArray[np.intp], kept_K: NDArray[np.intp], chosen: Sequence[str]) -> dict[str, Cell]:
    """Quality and cost of choices on the prompts kept back, against the best candidate of the others.

    Args:
        board: the whole block.
        learn_L: rows learnt from.
        kept_K: rows kept back.
        chosen: a candidate's name for each of these.
    """
    single = int(board.quality_NM[learn_L].mean(axis=0).argmax())
    choice_K = np.array([board.models.index(name) for name in chosen])
    got_K, single_K = board.quality_NM[kept_K, choice_K], board.quality_NM[kept_K, single]
    paid_K, theirs_K = board.cost_usd_NM[kept_K, choice_K], board.cost_usd_NM[kept_K, single]
    gain = difference(got_K, single_K, board.group_N[kept_K]).interval(SIDE)
    known = not (np.isnan(paid_K).any() or np.isnan(theirs_K).any())
    cost = ratio(paid_K, theirs_K, board.group_N[kept_K]).interval(SIDE) if known else None
    return {
        "quality": float(got_K.mean()),
        "best single": float(single_K.mean()),
        "gain, points": 100 * gain.mean,
        "low": 100 * gain.low,
        "high": 100 * gain.high,
        "cost, %": None if cost is None else 100 * cost.mean,
        "cost low": None if cost is None else 100 * cost.low,
        "cost high": None if cost is None else 100 * cost.high,
    }

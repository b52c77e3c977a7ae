"""Station 7, before the verdict: what the gate wants to know beside the test prompts' outcomes."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from components.evaluation.bootstrap import Interval
from components.evaluation.held_out import held_out_gains
from components.evaluation.latency import milliseconds_per_prompt
from components.learning.cross_fit import StageOneHeld
from components.learning.judged import judge_sample
from components.learning.refit import refitting
from components.learning.router import LEARNING
from components.learning.two_stage import TwoStageConfig
from flows.platform.arrays import load_arrays, load_named
from flows.platform.caching import cached_task
from flows.platform.references import DataRef, keep
from flows.stations.board import read_board, read_prompts
from pointsman.model.clusters import ClusterTables
from pointsman.model.router_model import RouterModel
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.features import FeatureMap

_TIMED = 32
_PARTS = 4
"""As many workers can hold benchmarks out at a time."""


@cached_task(name="evaluate: leave benchmarks out", run_name="evaluate: leave benchmarks out, part {part}")
def hold_out_part(
    *, laid_out: DataRef, classified: DataRef, config: TwoStageConfig, seed: int, most: int, part: int, parts: int
) -> DataRef:
    """Gain on each of a part of the benchmarks in turn of a router trained without it, on `most` prompts at most."""
    whole = replace(read_board(laid_out), task_N=np.load(classified.file("task.npy")))
    clusters = load_arrays(ClusterTables, classified.file("clusters.npz"))
    soft_KM = load_arrays(StageOneHeld, classified.file("held.npz")).soft_NM
    board, judged_NM = judge_sample(whole, whole.rows(*LEARNING), soft_KM, clusters, most, seed)
    fit = refitting(board, config, seed)
    gains = held_out_gains(fit, judged_NM, board.benchmark_N, seed=seed, group_N=board.group_N, part=(part, parts))
    content = json.dumps([asdict(gain) for gain in gains])
    return keep("hold_out_part", lambda folder: (folder / "held_out.json").write_text(content))


@cached_task(name="evaluate: gains left out")
def gather(parts: list[DataRef]) -> DataRef:
    """All parts' gains, by benchmark."""
    gains = [gain for part in parts for gain in json.loads(part.file("held_out.json").read_text())]
    content = json.dumps(sorted(gains, key=lambda gain: str(gain["benchmark"])))
    return keep("hold_out", lambda folder: (folder / "held_out.json").write_text(content))


def parts_left_out(
    *, laid_out: DataRef, classified: DataRef, config: TwoStageConfig, seed: int, most: int
) -> dict[int, dict[str, Any]]:
    """Calls of `hold_out_part`: the trainings without a benchmark in turn, dealt out to a few tasks."""
    shared = {"laid_out": laid_out, "classified": classified, "config": config, "seed": seed}
    return {part: shared | {"most": most, "part": part, "parts": _PARTS} for part in range(_PARTS)}


@cached_task(name="evaluate: latency")
def time_routing(
    *, tables: DataRef, laid_out: DataRef, features: DataRef, encoder: DataRef, combined: DataRef
) -> DataRef:
    """Milliseconds of processor time to route a test prompt from its text, one at a time."""
    board = read_board(laid_out)
    router = Router(
        RouterModel.from_arrays(load_named(combined.file("router.npz"))),
        load_arrays(FeatureMap, features.file("feature_map.npz")),
        Encoder.load(encoder.path, threads=1),
        board.models,
    )
    texts = read_prompts(tables)
    prompts = [texts[row] for row in board.rows("test")[:_TIMED]]
    content = json.dumps({"milliseconds_per_prompt": milliseconds_per_prompt(router.route, prompts)})
    return keep("time_routing", lambda folder: (folder / "latency.json").write_text(content))


def held_out_intervals(held_out: DataRef) -> dict[str, Interval]:
    """Benchmark -> gain, as `gather` kept them."""
    gains = json.loads(held_out.file("held_out.json").read_text())
    return {gain["benchmark"]: Interval(**gain["gain"]) for gain in gains}


def milliseconds(timed: DataRef) -> float:
    """The figure that `time_routing` kept."""
    return float(json.loads(timed.file("latency.json").read_text())["milliseconds_per_prompt"])

"""Station 7: every method on the frozen test prompts, and the gate's verdict on the router."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from prefect import task
from prefect.cache_policies import NO_CACHE
from sklearn.metrics import adjusted_rand_score

from components.evaluation.gate_config import GateConfig
from components.evaluation.reliability import expected_calibration_error
from components.learning.evidence import judged_board
from components.reports.candidates import candidate_facts
from components.reports.operating import best_on_task
from components.reports.policies import policy_curves
from components.reports.report import TestOutcomes, compose, control_choices
from components.tables.board import Board
from components.tables.splits import SPLITS
from components.tasks.partition import Partition
from components.tasks.table import TaskTable
from flows.platform.arrays import load_arrays, load_named
from flows.platform.references import DataRef, keep
from flows.stations.board import excluded_candidates, read_board, read_prompts
from flows.stations.champion import as_first_judged
from flows.stations.encoder import describe_encoder
from flows.stations.gate_inputs import held_out_intervals, milliseconds
from flows.stations.stages import WithPeers
from flows.stations.trial import on_trial, simulated
from pointsman.bundle.evidence import Evidence
from pointsman.model.guard import router_scores
from pointsman.model.router_model import RouterModel
from pointsman.policy.policy import parse
from pointsman.router import Router
from pointsman.text.encoder import Encoder
from pointsman.text.features import FeatureMap

_SELF_CHECK = 32
_TOLERANCE = 1e-3


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate(stages: WithPeers, *, gate: GateConfig, force: bool, quoting: bool, seed: int) -> DataRef:
    """The report of the router beside its peers, with the gate's verdict on its operating policy.

    It becomes part of the bundle, which travels: it quotes prompts only where that is wanted.
    """
    board, texts = read_board(stages.laid_out), read_prompts(stages.tables)
    test = board.rows("test")
    part = board.take(test)
    model = RouterModel.from_arrays(load_named(stages.combined.file("router.npz")))
    evidence = load_arrays(Evidence, stages.operated.file("evidence.npz"))
    prediction = model.predict(board.features_NF[test], board.embedding_ND[test], board.input_tokens_N[test])
    prediction = replace(prediction, supported_NM=evidence.supported(prediction.task_N))
    judged = judged_board(part, prediction.quality_NM, prediction.cost_usd_NM, seed)
    outcomes = TestOutcomes(
        quality_NM=part.quality_NM,
        judged_quality_NM=judged.quality_NM,
        judged_cost_usd_NM=judged.cost_usd_NM,
        benchmark_N=part.benchmark_N,
        best_single=int(model.fallback),
        group_N=part.group_N,
    )
    peers = {name: np.load(ref.file("predicted.npy")) for name, ref in stages.peers.items()}
    predictions = {
        "router": router_scores(prediction, int(model.fallback)),
        "stage1_only": model.stage_one(board.features_NF[test]),
        **peers,
    }
    feature_map = load_arrays(FeatureMap, stages.features.file("feature_map.npz"))
    router = Router(model, feature_map, Encoder.load(stages.encoder.path), part.models)
    again = router.route([texts[row] for row in test[:_SELF_CHECK]], "best")
    controls = {name: value for name, value in peers.items() if name.startswith("control_")}
    trial = on_trial(board, model, prediction, judged, tables=stages.tables, operated=stages.operated, seed=seed)
    verdict, facts = trial.verdict(
        texts,
        calibration_error=expected_calibration_error(prediction.quality_NM, part.quality_NM),
        self_check=bool(np.abs(again.quality_NM - prediction.quality_NM[:_SELF_CHECK]).max() < _TOLERANCE),
        controls=control_choices(predictions["router"], controls, outcomes),
        leave_one_out=held_out_intervals(stages.held_out),
        latency_ms=milliseconds(stages.timed),
        simulated=simulated(stages.logs),
        force=force,
        config=gate,
    )
    labels = [task["label"] for task in json.loads(stages.discovered.file("tasks.json").read_text())]
    declared = json.loads(stages.operated.file("operating.json").read_text())
    report = compose(
        predictions,
        outcomes,
        calibrated_NM=prediction.quality_NM,
        verdict=verdict,
        discovery=_discovery(board, stages),
        sections={
            **_sections(stages, quoting, seed),
            **facts,
            "operating": trial.section(declared),
            "whatif": trial.whatif(parse(declared["policy"])),
            "coverage": _coverage(trial.coverage(), stages),
            "held_out": json.loads(stages.held_out.file("held_out.json").read_text()),
            "encoder": describe_encoder(stages.encoder),
            "policies": policy_curves(prediction, judged.quality_NM, trial.test_cost_NM, fallback=int(model.fallback)),
        },
        seed=seed,
        task_N=np.array([*labels, "unassigned"])[prediction.task_N],
        expected_cost={"router": prediction.cost_usd_NM},
    )
    final = as_first_judged(report, model, trial.policy)
    return keep("evaluate", lambda folder: (folder / "report.json").write_text(json.dumps(final, allow_nan=False)))


def _coverage(by_benchmark: dict[str, Any], stages: WithPeers) -> dict[str, Any]:
    """Observed outcomes by the logs' own labels, or by task where they have none."""
    if any(row["benchmark"] for row in by_benchmark["rows"]):
        return by_benchmark
    count_TM = load_arrays(Evidence, stages.operated.file("evidence.npz")).count_TM
    rows = [
        {"benchmark": one["label"], "prompts": one["size"], "outcomes": count_TM[one["task"]].tolist()}
        for one in json.loads(stages.discovered.file("tasks.json").read_text())
    ]
    return {**by_benchmark, "by": "task", "rows": rows} if rows else by_benchmark


def _discovery(board: Board, stages: WithPeers) -> dict[str, Any]:
    discovered = stages.discovered
    found = json.loads(discovered.file("discovery.json").read_text())
    partition = load_arrays(Partition, discovered.file("partition.npz"))
    truth = stages.logs.path / "truth.parquet"
    ari = None
    if truth.exists() and partition.tasks:
        ids = pl.DataFrame({"prompt_id": board.prompt_id_N[board.rows("train")]})
        planted = ids.join(pl.read_parquet(truth), on="prompt_id", how="left", maintain_order="left")["task"]
        ari = float(adjusted_rand_score(partition.task_N, planted.rank("dense").to_numpy()))
    return {
        **{key: found[key] for key in ("method", "reason", "neighbour_recall", "identity")},
        "naming": found.get("naming"),
        "tasks": partition.tasks,
        "unassigned_share": partition.unassigned_share,
        "candidate_share": load_arrays(TaskTable, discovered.file("table.npz")).candidate_share,
        "bootstrap_ari": found["bootstrap_ari"],
        "planted_ari": ari,
    }


def _sections(stages: WithPeers, quoting: bool, seed: int) -> dict[str, Any]:
    board, texts = read_board(stages.laid_out), read_prompts(stages.tables)
    described = json.loads(stages.discovered.file("tasks.json").read_text())
    table = load_arrays(TaskTable, stages.discovered.file("table.npz"))
    train = board.rows("train")
    evidence = load_arrays(Evidence, stages.operated.file("evidence.npz"))
    fitted = json.loads(stages.combined.file("router.json").read_text())
    rejected = pl.read_parquet(stages.tables.file("quarantine.parquet"))
    checks = pl.read_parquet(stages.validated.file("validation.parquet"))
    return {
        "tasks": [
            {
                "id": one["id"],
                "label": one["label"],
                "size": one["size"],
                "keywords": one["keywords"],
                **best_on_task(table.quality_TM[one["task"]], evidence.count_TM[one["task"]], board.models),
                "candidates_share": float(table.candidate_TM[one["task"]].mean()),
                "medoids": [texts[train[row]][:400] for row in one["medoids"]] if quoting else [],
            }
            for one in described
        ],
        "alpha_curve": [
            [trial["alpha"], trial["quality"]]
            for trial in fitted["alpha_trials"]
            if trial["posterior"] == fitted["chosen"]["posterior"]
        ],
        "alpha": fitted["chosen"],
        "cost": {"r2": fitted["cost_r2"], "relative_error": fitted["cost_relative_error"]},
        # the rows themselves stay here: a bundle travels
        "validation": checks.drop("first").to_dicts(),
        "candidates": candidate_facts(
            board.models, board.input_usd_per_mtok_M, board.output_usd_per_mtok_M, board.latency_ms_NM
        ),
        "excluded_candidates": list(excluded_candidates(stages.laid_out)),
        "quarantine": dict(rejected.group_by("table", maintain_order=True).len().iter_rows()),
        "data": f"{board.split_N.size} prompts, {len(board.models)} candidates, tables {stages.tables.digest[:12]}",
        "splits": {name: int(board.rows(name).size) for name in SPLITS},
        "seeds": seed,
    }

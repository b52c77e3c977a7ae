"""From outcome logs to a judged and published router: the only file that knows the order of the stations."""

import json
from dataclasses import replace
from pathlib import Path

from prefect import flow
from pydantic import BaseModel, Field, field_validator, model_validator

from components.evaluation.operating import parse_asked
from components.reports.console import method_table
from components.reports.grading import grading_text
from components.reports.summary import policy_text, summary
from components.tasks.density import LayoutConfig
from flows.gate_form import GateParameters
from flows.platform.artifacts import note_coverage, note_result, note_tasks, note_validation
from flows.platform.dead import claim_run
from flows.platform.endings import run_name, tell_ending
from flows.platform.fan_out import fan_out, task_runner
from flows.platform.notify import show_component_logs, tell_failure, tell_verdict
from flows.platform.progress import Progress
from flows.platform.references import DataRef
from flows.platform.tracking import tracked
from flows.presets import PresetName, preset
from flows.stations.board import board_of, read_board
from flows.stations.champion import changed_logs
from flows.stations.decisions import take_in
from flows.stations.discover import chart, discover, featurise
from flows.stations.drift_reference import keep_drift_reference
from flows.stations.encoder import encode_and_divide
from flows.stations.evaluate import evaluate
from flows.stations.frozen_test import freeze, frozen_test
from flows.stations.gate_inputs import hold_out, time_routing
from flows.stations.identity import champion_tasks, identify
from flows.stations.ingest import divide, ingest, notices, validate
from flows.stations.logs import describe_logs, logs_of
from flows.stations.naming import describe_training, name_discovered
from flows.stations.operating import choose_operating, cost_notices
from flows.stations.promote import Verdicted, bundle, promote, register
from flows.stations.train import PEERS, baseline, classify, combine, specialise
from flows.stations.trial import simulated

SUMMARY = ("router", "best_single", "knn100", "kmeans60", "oracle")


class RetrainParameters(BaseModel):
    """Settings of this run."""

    data: Path | None = Field(
        title="Folder of logs",
        default=None,
        description="Folder with the tables prompts, candidates and outcomes; empty: simulated logs, which never "
        "replace a router of real ones.",
    )
    decisions: Path | None = Field(
        default=None,
        description="Folder of the decision log that `pointsman serve --decisions` keeps: it is taken into the tables "
        "first, each decision once; empty: the tables as they are.",
    )
    preset: PresetName = Field(
        title="Size of simulated logs",
        default="full",
        description="'smoke' simulates a small world; on your own logs it is the same as 'full'.",
    )
    encoder: str = Field(
        title="Encoder",
        default="auto",
        pattern=r"^(auto|static|int8|fp32|.*/.*)$",
        description="'auto': the cheapest that routes as well as the best; 'static': token vectors distilled from the "
        "sentence encoder; 'int8' or 'fp32': the sentence encoder; or the path of a folder with an encoder.",
    )
    policy: str | None = Field(
        title="What the router is for",
        default=None,
        description="What the router is for: parity (as good as the best single model, as cheap as can be), best, "
        "tradeoff=W (USD a unit of quality is worth), quality=Q or tolerance=T; empty: parity where costs are known.",
    )
    force: bool = Field(
        title="Replace the router in service all the same",
        default=False,
        description="Let a router from simulated logs, or from logs of other candidates, replace the one in service.",
    )
    seed: int = Field(title="Seed", default=0, ge=0, description="Same seed and data: same router.")
    most_faulty: float = Field(
        title="Largest share of faulty rows",
        default=0.01,
        ge=0,
        le=1,
        description="Largest share of a table's rows that may be set aside; three always may.",
    )
    gate: GateParameters = Field(
        title="Conditions for publishing",
        default_factory=GateParameters,
        description="What a challenger must clear to be published.",
    )

    @field_validator("policy")
    @classmethod
    def _known(cls, policy: str | None) -> str | None:
        return parse_asked(policy).text() if policy else None

    @model_validator(mode="after")
    def _decisions_have_tables(self) -> "RetrainParameters":
        if self.decisions is not None and self.data is None:
            raise ValueError("decisions are taken into the tables of a folder: name it as data")
        return self


@flow(
    name="retrain",
    flow_run_name=run_name,
    log_prints=True,
    task_runner=task_runner(),
    on_completion=[tell_ending],
    on_failure=[tell_failure],
    on_crashed=[tell_failure],
    on_cancellation=[tell_failure],
)
def retrain(parameters: RetrainParameters) -> Verdicted:
    """Trains a challenger on the logs, judges it against the champion and publishes it if it is better."""
    show_component_logs()
    claim_run()
    chosen, seed = preset(parameters.preset, parameters.seed), parameters.seed
    with tracked(parameters.model_dump(mode="json")) as run_id, Progress() as station:
        station("ingest")
        if parameters.decisions is not None and parameters.data is not None:
            for line in take_in(parameters.decisions, parameters.data):
                station.say(line)
        station.say(f"data: {describe_logs(parameters.data)}")
        logs = logs_of(parameters.data, chosen.planted, force=parameters.force)
        tables = ingest(logs, replace(chosen.quarantine, max_share=parameters.most_faulty))
        station("validate")
        validated = validate(tables, logs)
        for notice in [*notices(tables, validated), *changed_logs(tables)]:
            station.say(f"note: {notice}")
        station("embed")

        def divided(vectors: DataRef) -> DataRef:
            station("split")
            return divide(tables, vectors, frozen_test(), chosen.split)

        encoded = encode_and_divide(parameters.encoder, tables, divided, chosen, seed)
        encoder, embedded, splits = encoded.encoder, encoded.embedded, encoded.splits
        freeze(tables, splits)
        station("discover")
        features = featurise(tables, embedded, splits, encoder, chosen.features)
        board = board_of(tables, embedded, splits, features, seed)
        descriptions = describe_training(board, encoder)
        found = discover(board, chosen.discovery, seed, descriptions.described)
        discovered = identify(board, name_discovered(board, found, descriptions), champion_tasks())
        charted = chart(board, discovered, LayoutConfig(seed=seed))
        station("train")
        classified = classify(board, discovered, chosen.learning)
        specialised = specialise(board, classified, chosen.learning)
        combined = combine(board, classified, specialised, chosen.learning.router, seed)
        gate = parameters.gate.config()
        operated = choose_operating(
            board,
            classified,
            specialised,
            combined,
            parameters.policy,
            gate.parity_margin,
            chosen.learning.router,
            seed,
        )
        for notice in cost_notices(combined, read_board(board).models):
            station.say(f"note: {notice}")
        compared = fan_out(baseline, {method: (board, method, seed) for method in PEERS}, station.parts(len(PEERS)))
        station("evaluate")
        held_out = hold_out(board, classified, chosen.refit, seed)
        timed = time_routing(board, encoder, combined)
        judged = evaluate(
            logs,
            validated,
            board,
            encoder,
            discovered,
            combined,
            operated,
            compared,
            held_out,
            timed,
            gate,
            parameters.force,
            seed,
        )
        station("register")
        waiting = bundle(board, encoder, discovered, combined, operated, judged, simulated(logs), seed)
        keep_drift_reference(board, combined, waiting.router_id, seed)
        challenger = register(
            waiting, run_id, judged, discovered, classified, specialised, combined, compared, charted, validated, tables
        )
        station("promote")
        verdict = promote(challenger)
    note_validation(validated)
    note_tasks(judged)
    note_coverage(judged)
    note_result(judged, verdict)
    tell_verdict(judged, verdict)
    return verdict


def run_retrain(parameters: RetrainParameters) -> int:
    """Runs the flow, prints its table, verdict and where everything is; 0 promoted, 1 otherwise."""
    verdict = retrain(parameters)
    report = json.loads((verdict.bundle / "report.json").read_text())
    print(method_table({"methods": {name: report["methods"][name] for name in SUMMARY}}))
    print(f"\n{summary(report, verdict.verdict)}\n")
    for reason in verdict.reasons:
        print(f"- {reason}")
    if told := grading_text(report["operating"]):
        print(told)
    print(f"verdict: {verdict.verdict}\noperating policy: {policy_text(report['operating'])}")
    print(f"encoder: {report['encoder']['kind']} ({report['encoder']['name']})")
    print(f"bundle: {verdict.bundle}\nreport: {verdict.report}\ndashboards: make ui")
    return 0 if verdict.verdict == "promoted" else 1

"""From outcome logs to a judged and published router: the only file that knows the order of the stations."""

import json
from dataclasses import replace

from prefect import flow

from components.learning.two_stage import TwoStageConfig
from components.reports.console import method_table
from components.reports.grading import grading_text
from components.reports.summary import policy_text, summary
from components.tasks.density import LayoutConfig
from flows.platform.artifacts import note_coverage, note_result, note_tasks, note_validation
from flows.platform.dead import claim_run
from flows.platform.endings import name_ending, run_name
from flows.platform.fan_out import begin, finish, task_runner
from flows.platform.notify import notify_failure, notify_verdict, show_component_logs
from flows.platform.progress import Progress
from flows.platform.references import DataRef
from flows.platform.tracking import tracked
from flows.presets import Preset, preset
from flows.retrain_form import RetrainParameters
from flows.stations.board import lay_out_board, read_board
from flows.stations.champion import changed_logs
from flows.stations.decisions import take_in
from flows.stations.discover import chart, discover, featurise
from flows.stations.drift_reference import keep_drift_reference
from flows.stations.encoder import encode_and_divide
from flows.stations.evaluate import evaluate
from flows.stations.frozen_test import freeze, frozen_test
from flows.stations.gate_inputs import gather, hold_out_part, parts_left_out, time_routing
from flows.stations.identity import champion_tasks, identify
from flows.stations.ingest import divide, ingest, notices, validate
from flows.stations.logs import describe_logs, logs_of
from flows.stations.naming import describe_training, name_discovered
from flows.stations.operating import choose_operating, cost_notices
from flows.stations.promote import Verdicted, promote
from flows.stations.register import bundle, register
from flows.stations.stages import Prepared, WithClassifier, WithPeers, WithReport, WithRouter, WithTasks
from flows.stations.train import PEERS, baseline, classify, combine, specialise
from flows.stations.trial import simulated

SUMMARY = ("router", "best_single", "knn100", "kmeans60", "oracle")


@flow(
    name="retrain",
    flow_run_name=run_name,
    log_prints=True,
    task_runner=task_runner(),
    on_completion=[name_ending],
    on_failure=[notify_failure],
    on_crashed=[notify_failure],
    on_cancellation=[notify_failure],
)
def retrain(parameters: RetrainParameters) -> Verdicted:
    """Trains a challenger on the logs, judges it against the champion and publishes it if it is better."""
    show_component_logs()
    claim_run()
    chosen, seed = preset(parameters.preset, parameters.seed), parameters.seed
    with tracked(parameters.model_dump(mode="json")) as run_id, Progress() as station:
        prepared = prepare(parameters, chosen, station)
        # what nothing else waits for is begun as soon as it can be, and finished where it is read
        shared = {"laid_out": prepared.laid_out, "seed": seed, "most": chosen.sample}
        peers = begin(baseline, {method: shared | {"method": method} for method in PEERS})
        station("discover")
        quoting = parameters.examples or simulated(prepared.logs)
        with_tasks = find_tasks(prepared, chosen, seed)
        drawn = {"tables": prepared.tables, "laid_out": prepared.laid_out, "discovered": with_tasks.discovered}
        charted = begin(chart, {"map": drawn | {"config": LayoutConfig(seed=seed), "quoting": quoting}})
        station("train")
        classified = classify(laid_out=prepared.laid_out, discovered=with_tasks.discovered, config=chosen.learning)
        parts = begin(
            hold_out_part,
            parts_left_out(
                laid_out=prepared.laid_out,
                classified=classified,
                config=chosen.refit,
                seed=seed,
                most=chosen.sample,
            ),
        )
        with_router = train(with_tasks.then(WithClassifier, classified=classified), parameters, chosen.learning)
        for notice in cost_notices(with_router.combined, read_board(prepared.laid_out).models):
            station.say(f"note: {notice}")
        compared = finish(peers, station.parts(len(peers)))
        station("evaluate")
        held_out = gather([*finish(parts, station.parts(len(parts))).values()])
        timed = time_routing(
            tables=prepared.tables,
            laid_out=prepared.laid_out,
            features=prepared.features,
            encoder=prepared.encoder,
            combined=with_router.combined,
        )
        with_peers = with_router.then(
            WithPeers, peers=compared, held_out=held_out, timed=timed, charted=finish(charted)["map"]
        )
        judged = evaluate(with_peers, gate=parameters.gate, force=parameters.force, quoting=quoting, seed=seed)
        with_report = with_peers.then(WithReport, judged=judged)
        station("register")
        waiting = bundle(with_report, seed=seed)
        keep_drift_reference(
            laid_out=prepared.laid_out, combined=with_report.combined, router_id=waiting.router_id, seed=seed
        )
        challenger = register(waiting, with_report, run_id=run_id)
        station("promote")
        verdict = promote(challenger, parameters.approve)
    note_validation(prepared.validated)
    note_tasks(judged)
    note_coverage(judged)
    note_result(judged, verdict)
    notify_verdict(judged, verdict)
    return verdict


def prepare(parameters: RetrainParameters, chosen: Preset, station: Progress) -> Prepared:
    """Logs to validated tables, vectors, splits, features and the board."""
    station("ingest")
    if parameters.decisions is not None and parameters.data is not None:
        for line in take_in(parameters.decisions, parameters.data):
            station.say(line)
    station.say(f"data: {describe_logs(parameters.data)}")
    logs = logs_of(parameters.data, chosen.planted, force=parameters.force)
    tables = ingest(logs=logs, config=replace(chosen.quarantine, max_share=parameters.most_faulty))
    station("validate")
    validated = validate(tables=tables, logs=logs)
    for notice in [*notices(tables=tables, validated=validated), *changed_logs(tables)]:
        station.say(f"note: {notice}")
    station("embed")

    def divided(vectors: DataRef) -> DataRef:
        station("split")
        return divide(tables=tables, embedded=vectors, frozen=frozen_test(), config=chosen.split)

    encoded = encode_and_divide(parameters.encoder, tables, divided, chosen, parameters.seed)
    freeze(tables=tables, splits=encoded.splits)
    known = {"tables": tables, "embedded": encoded.embedded, "splits": encoded.splits}
    features = featurise(**known, encoder=encoded.encoder, config=chosen.features)
    laid_out = lay_out_board(**known, features=features, seed=parameters.seed)
    return Prepared(
        logs=logs,
        tables=tables,
        validated=validated,
        encoder=encoded.encoder,
        splits=encoded.splits,
        features=features,
        laid_out=laid_out,
    )


def find_tasks(stages: Prepared, chosen: Preset, seed: int) -> WithTasks:
    """The training prompts' tasks under lasting names."""
    tables, laid_out = stages.tables, stages.laid_out
    prompts = {"tables": tables, "splits": stages.splits}
    descriptions = describe_training(**prompts, encoder=stages.encoder)
    sentences = descriptions.described
    found = discover(tables=tables, laid_out=laid_out, sentences=sentences, config=chosen.discovery, seed=seed)
    named = name_discovered(**prompts, discovered=found, descriptions=descriptions)
    discovered = identify(**prompts, discovered=named, champion=champion_tasks())
    return stages.then(WithTasks, discovered=discovered)


def train(stages: WithClassifier, parameters: RetrainParameters, config: TwoStageConfig) -> WithRouter:
    """The second stage, the router of both, and its operating policy."""
    learnt = {"laid_out": stages.laid_out, "classified": stages.classified}
    learnt["specialised"] = specialised = specialise(**learnt, config=config)
    combined = combine(**learnt, config=config.router, seed=parameters.seed)
    operated = choose_operating(
        **learnt,
        tables=stages.tables,
        combined=combined,
        asked=parameters.policy,
        margin=parameters.gate.parity_margin,
        config=config.router,
        seed=parameters.seed,
    )
    return stages.then(WithRouter, specialised=specialised, combined=combined, operated=operated)


def run_retrain(parameters: RetrainParameters) -> int:
    """Runs the flow, prints its table, verdict and where everything is; 0 it passed the gate, 1 otherwise."""
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
    return int(verdict.verdict in ("refused", "not enough evidence"))

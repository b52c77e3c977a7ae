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
from flows.platform.caching import is_kept
from flows.platform.dead import claim_run
from flows.platform.endings import name_ending, run_name
from flows.platform.fan_out import Pending, begin, finish, start_ahead, task_runner
from flows.platform.notify import notify_failure, notify_verdict, show_component_logs
from flows.platform.progress import Progress
from flows.platform.references import DataRef
from flows.platform.settings import ui_command
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
from flows.stations.frozen_test import freeze, frozen_test, shrunk_test
from flows.stations.gate_inputs import gather, hold_out_part, parts_left_out, time_routing
from flows.stations.identity import champion_tasks, identify
from flows.stations.ingest import divide, ingest, notices, validate
from flows.stations.logs import describe_logs, logs_of
from flows.stations.naming import describe_training, name_discovered
from flows.stations.operating import choose_operating, cost_notices
from flows.stations.promote import Verdicted, promote
from flows.stations.register import bundle, register
from flows.stations.stages import Prepared, WithClassifier, WithPeers, WithReport, WithRouter, WithTasks
from flows.stations.train import PEERS, baseline, classify, classify_implicitly, combine, specialise
from flows.stations.trial import simulated

LOADED_AHEAD = (__name__, "components.heads.lightning_loop")
"""Modules that processes load before they train; the second by name alone, for this process may not need it."""
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
    with tracked(parameters.model_dump(mode="json")) as run_id, Progress() as station:
        judged = learn_and_judge(parameters, preset(parameters.preset, parameters.seed), station)
        verdict = register_and_promote(judged, parameters, run_id, station)
    note_validation(judged.validated)
    note_tasks(judged.judged)
    note_coverage(judged.judged)
    note_result(judged.judged, verdict)
    notify_verdict(judged.judged, verdict)
    return verdict


def learn_and_judge(parameters: RetrainParameters, chosen: Preset, station: Progress) -> WithReport:
    """The stations from logs to a report, in their order.

    What nothing else waits for is begun as soon as it can be, and finished where it is read.
    """
    seed = parameters.seed
    prepared = prepare(parameters, chosen, station)
    peers = begin_peers(prepared, chosen, seed)
    station("discover")
    quoting = parameters.examples or simulated(prepared.logs)
    with_tasks = find_tasks(prepared, chosen, seed)
    charted = begin_chart(with_tasks, quoting, seed)
    station("train")
    classified = classify(laid_out=prepared.laid_out, discovered=with_tasks.discovered, config=chosen.learning)
    with_classifier = with_tasks.then(WithClassifier, classified=classified)
    implicit = begin_implicit(with_classifier, chosen.learning)
    parts = begin_parts(with_classifier, chosen, seed)
    with_router = train(with_classifier, parameters, chosen.learning)
    for notice in cost_notices(with_router.combined, read_board(prepared.laid_out).models):
        station.say(f"note: {notice}")
    compared = finish(peers, station.parts(len(peers)))
    station("evaluate")
    with_peers = with_router.then(
        WithPeers,
        peers=compared,
        implicit_classifier=finish(implicit)["classifier"],
        held_out=gather([*finish(parts, station.parts(len(parts))).values()]),
        timed=time_deciding(with_router),
        charted=finish(charted)["map"],
    )
    judged = evaluate(with_peers, gate=parameters.gate, force=parameters.force, quoting=quoting, seed=seed)
    return with_peers.then(WithReport, judged=judged)


def register_and_promote(
    judged: WithReport, parameters: RetrainParameters, run_id: str, station: Progress
) -> Verdicted:
    """The bundle, its version in MLflow, and whether it goes into service."""
    station("register")
    waiting = bundle(judged, seed=parameters.seed)
    keep_drift_reference(
        tables=judged.tables,
        laid_out=judged.laid_out,
        combined=judged.combined,
        router_id=waiting.router_id,
        seed=parameters.seed,
    )
    challenger = register(waiting, judged, run_id=run_id)
    station("promote")
    return promote(challenger, parameters.approve)


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
    if not is_kept(validate, {"tables": tables, "logs": logs}):
        start_ahead(*LOADED_AHEAD)
    validated = validate(tables=tables, logs=logs)
    for notice in [*notices(tables=tables, validated=validated), *changed_logs(tables), *shrunk_test(tables)]:
        station.say(f"note: {notice}")
    station("embed")

    def divided(vectors: DataRef) -> DataRef:
        station("split")
        splits = divide(tables=tables, embedded=vectors, frozen=frozen_test(), config=chosen.split)
        station.doing("vectors of all prompts by the encoder that is chosen")
        return splits

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


def begin_peers(stages: Prepared, chosen: Preset, seed: int) -> dict[str, Pending[DataRef]]:
    """Every peer method's choices."""
    shared = {"laid_out": stages.laid_out, "seed": seed, "most": chosen.sample}
    return begin(baseline, {method: shared | {"method": method} for method in PEERS})


def begin_chart(stages: WithTasks, quoting: bool, seed: int) -> dict[str, Pending[DataRef]]:
    """The task map."""
    drawn = {"tables": stages.tables, "laid_out": stages.laid_out, "discovered": stages.discovered}
    return begin(chart, {"map": drawn | {"config": LayoutConfig(seed=seed), "quoting": quoting}})


def begin_implicit(stages: WithClassifier, config: TwoStageConfig) -> dict[str, Pending[DataRef]]:
    """An implicit classifier beside stage 1's."""
    known = {"laid_out": stages.laid_out, "classified": stages.classified}
    return begin(classify_implicitly, {"classifier": known | {"config": config}})


def begin_parts(stages: WithClassifier, chosen: Preset, seed: int) -> dict[int, Pending[DataRef]]:
    """A router without each benchmark."""
    known = {"laid_out": stages.laid_out, "classified": stages.classified}
    return begin(hold_out_part, parts_left_out(**known, config=chosen.refit, seed=seed, most=chosen.sample))


def time_deciding(stages: WithRouter) -> DataRef:
    """How long the router takes to decide."""
    return time_routing(
        tables=stages.tables,
        laid_out=stages.laid_out,
        features=stages.features,
        encoder=stages.encoder,
        combined=stages.combined,
    )


def run_retrain(parameters: RetrainParameters) -> int:
    """Runs the flow, prints its table, verdict and where everything is; 0 it passed the gate, 1 otherwise."""
    verdict = retrain(parameters)
    report = json.loads((verdict.bundle / "report.json").read_text())
    print(method_table({"methods": {name: report["methods"][name] for name in SUMMARY}}))
    print(f"\n{summary(report, verdict.verdict)}\n")
    for reason in verdict.reasons:
        print(f"- {reason}")
    if graded := grading_text(report["operating"]):
        print(graded)
    print(f"verdict: {verdict.verdict}\noperating policy: {policy_text(report['operating'])}")
    print(f"encoder: {report['encoder']['kind']} ({report['encoder']['name']})")
    print(f"bundle: {verdict.bundle}\nreport: {verdict.report}\ndashboards: {ui_command()}")
    return int(verdict.verdict in ("refused", "not enough evidence"))

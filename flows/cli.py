"""Commands that train, judge and publish; heavy libraries are imported inside the command that needs them."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from flows.buying import add_buying
from flows.forgetting import add_forgetting
from flows.importing import add_import
from flows.studies import add_studies
from pointsman.commands import router_option
from pointsman.errors import InputError
from pointsman.options import given, path, port, seed


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands that train, judge and publish to a parser's."""

    command = commands.add_parser("retrain", help="from outcome logs to a judged and published router")
    command.add_argument("--data", type=path, help="folder with prompts, outcomes and models (default: simulated)")
    command.add_argument(
        "--decisions",
        type=given,
        metavar="DIR",
        help="decision log of pointsman serve, or its URL, taken into the tables first",
    )
    command.add_argument(
        "--preset",
        choices=["smoke", "full"],
        default="full",
        help="smoke simulates fewer logs, where they are simulated",
    )
    command.add_argument(
        "--policy",
        help="parity | best | tradeoff=W | quality=Q | tolerance=T: what the router is for "
        "(default: parity where costs are known, else best)",
    )
    command.add_argument(
        "--force", action="store_true", help="let simulated logs, or logs of other candidates, replace the router"
    )
    command.add_argument(
        "--encoder",
        type=_encoder,
        default="auto",
        help="auto | static | int8 | fp32, or a sentence-transformers, ONNX or Model2Vec folder (default: auto, the "
        "cheapest that can't be told from the best)",
    )
    command.add_argument("--seed", type=seed, default=0, help="same seed and data: same router")
    command.add_argument(
        "--examples", action="store_true", help="quote some prompts in the report, which the bundle and MLflow keep"
    )
    command.add_argument(
        "--approve",
        choices=["gate", "canary", "person"],
        default="gate",
        help="whose word publishes what passed the gate: its own, a canary's success, or somebody's promote",
    )
    command.add_argument(
        "--most-faulty", type=float, default=0.01, help="stop where a larger share of a table's rows is faulty"
    )
    command.set_defaults(command=_retrain)

    command = commands.add_parser("report", help="print a router's evaluation and write report.html")
    router_option(command)
    command.add_argument("--output", type=path, help="folder for report.html (default: data/reports/ROUTER_ID)")
    command.set_defaults(command=_report)

    command = commands.add_parser("promote", help="publish the waiting challenger if its verdict allows it")
    command.add_argument("--reason", default="", help="why, for the history")
    command.add_argument("--force", action="store_true", help="also if a rollback left it, or its canary was stopped")
    command.add_argument(
        "--canary",
        type=given,
        metavar="DIR",
        help="decision log, or its URL, of the server that tries it: publish what succeeded, refuse what was stopped",
    )
    command.set_defaults(command=_promote)

    command = commands.add_parser("rollback", help="return to an earlier published router")
    command.add_argument("--to", metavar="ID", help="a router's id or its beginning (default: the one before)")
    command.add_argument("--reason", default="", help="why, for the history")
    command.set_defaults(command=_rollback)

    command = commands.add_parser("history", help="every verdict: which router was in service when, and why")
    command.set_defaults(command=_history)

    command = commands.add_parser(
        "doctor", help="find and repair what a crash, a full disk or a stray hand left of the published routers"
    )
    command.set_defaults(command=_doctor)

    command = commands.add_parser("keygen", help="make the key that signs what is published from now on")
    command.set_defaults(command=_keygen)

    add_forgetting(commands)
    add_import(commands)
    add_buying(commands)

    command = commands.add_parser("ui", help="Prefect server, MLflow server and a worker on loopback")
    command.add_argument("--prefect-port", type=port, help="default: POINTSMAN_PREFECT_PORT, or 4200")
    command.add_argument("--mlflow-port", type=port, help="default: POINTSMAN_MLFLOW_PORT, or 5000")
    command.add_argument("--home", type=path, help="folder with data/ and mlruns/ (default: POINTSMAN_HOME, or here)")
    command.set_defaults(command=_ui)
    add_studies(commands)


def _encoder(text: str) -> str:
    if text in ("auto", "static", "int8", "fp32"):
        return text
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto, static, int8, fp32 nor a folder")
    return str(Path(text).resolve())


def _begin(command: str, data: Path | None) -> None:
    """Refuses a folder without tables, and says what begins, before libraries are loaded that take half a minute."""
    from components.tables.present import require_tables
    from flows.platform import paths

    if data is not None:
        require_tables(data)
    print(f"{command} on {data or 'simulated logs'}, in {paths.home()}", file=sys.stderr, flush=True)


def _retrain(options: argparse.Namespace) -> int:
    from flows.platform.prefect_server import started_beside
    from flows.platform.settings import prepare_environment

    _begin("retrain", options.data)
    prepare_environment()
    with started_beside():
        from flows.retrain import run_retrain
        from flows.retrain_form import RetrainParameters

        parameters = RetrainParameters(
            data=options.data,
            decisions=options.decisions,
            preset=options.preset,
            encoder=options.encoder,
            policy=options.policy,
            force=options.force,
            approve=options.approve,
            seed=options.seed,
            examples=options.examples,
            most_faulty=options.most_faulty,
        )
    return run_retrain(parameters)


def _report(options: argparse.Namespace) -> int:
    from components.reports.console import method_table
    from components.reports.page import write_page
    from flows.platform import paths
    from flows.stations.pages import with_ending
    from pointsman.bundle.location import local_folder
    from pointsman.bundle.reading import read_report

    folder = local_folder(options.router)
    report = read_report(folder)
    print(method_table(report))
    # a broken history is for `history` and `doctor` to say
    with suppress(ValueError):
        report = with_ending(report, folder.name)
    shelf = options.output or paths.reports() / folder.name
    try:
        print(f"report: {write_page(report, shelf)}")
    except OSError as error:
        raise InputError(f"{shelf} can't be written: {error.strerror}") from error
    return 0


def _promote(options: argparse.Namespace) -> int:
    from flows.platform import paths
    from flows.platform.settings import prepare_environment

    print(f"promote: the waiting challenger, in {paths.home()}", file=sys.stderr, flush=True)
    prepare_environment()
    from flows.stations.in_service import saying_what_serves
    from flows.stations.promote import promote_waiting

    with saying_what_serves():
        verdict = promote_waiting(options.reason, options.force, options.canary)
        print(f"router {verdict.router_id[:12]}: {verdict.verdict} {'; '.join(verdict.reasons)}".rstrip())
    # as of a retrain: what waits isn't refused
    return int(verdict.verdict in ("refused", "not enough evidence"))


def _rollback(options: argparse.Namespace) -> int:
    from flows.platform import paths
    from flows.platform.settings import prepare_environment

    print(f"rollback: to {options.to or 'the router before'}, in {paths.home()}", file=sys.stderr, flush=True)
    prepare_environment(emergency=True)
    from flows.stations.in_service import saying_what_serves
    from flows.stations.promote import roll_back

    with saying_what_serves() as before:
        now = roll_back(options.to, options.reason)
        print(f"router {now[:12]} is in service again" + (f"; {before[:12]} was" if before and before != now else ""))
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from flows.platform import paths
    from flows.platform.settings import prepare_environment

    print(f"doctor: looks at {paths.published()}", file=sys.stderr, flush=True)
    prepare_environment(emergency=True)
    from flows.platform.tracking import registry
    from flows.stations.doctor import examine

    lines = examine(registry)
    print("\n".join(lines))
    found = {line.partition(":")[0] for line in lines}
    # what is missing may have been deleted on purpose, and stays so
    return 2 if "unreachable" in found else int("damaged" in found)


def _keygen(_: argparse.Namespace) -> int:
    from flows.platform import paths
    from pointsman.bundle.keys import make_keys

    key = paths.publish_key()
    public = key.with_name(f"{key.name}.pub")
    make_keys(key, public)
    print(f"key: {key}, which signs every router that is published from here and must stay secret")
    print(f"public key: {public}, for gateways: pointsman serve --trust {public}")
    print("`pointsman doctor` signs the router in service")
    return 0


def _history(_: argparse.Namespace) -> int:
    from components.release.history import read_history, readable
    from flows.platform import paths
    from pointsman.bundle.pointer import read_pointer

    root = paths.published()
    lines = readable(read_history(root), read_pointer(root))
    print("\n".join(lines) or f"no verdict yet in {paths.home()}: `pointsman retrain` gives the first")
    return 0


def _ui(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment, settings

    prepare_environment(home=options.home, log_level="INFO")
    from flows.platform.ui import serve_ui

    return serve_ui(
        prefect_port=options.prefect_port or settings().prefect_port,
        mlflow_port=options.mlflow_port or settings().mlflow_port,
    )


if __name__ == "__main__":
    from pointsman.cli import main

    raise SystemExit(main())

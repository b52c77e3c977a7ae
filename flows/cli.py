"""Commands that train, judge and publish; heavy libraries are imported inside the command that needs them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flows.buying import add_buying
from pointsman.cli import router_option

if TYPE_CHECKING:
    from pointsman.text.conversation import ConversationConfig


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands that train, judge and publish to a parser's."""

    command = commands.add_parser("retrain", help="from outcome logs to a judged and published router")
    command.add_argument("--data", type=Path, help="folder with prompts, outcomes and models (default: simulated)")
    command.add_argument(
        "--decisions", type=Path, metavar="DIR", help="decision log of pointsman serve, taken into the tables first"
    )
    command.add_argument("--preset", choices=["smoke", "full"], default="full")
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
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--most-faulty", type=float, default=0.01, help="stop where a larger share of a table's rows is faulty"
    )
    command.set_defaults(command=_retrain)

    command = commands.add_parser("report", help="print a router's evaluation and write report.html")
    router_option(command)
    command.add_argument("--output", type=Path, help="folder for report.html (default: data/reports/ROUTER_ID)")
    command.set_defaults(command=_report)

    command = commands.add_parser("promote", help="publish the waiting challenger if its verdict allows it")
    command.add_argument("--reason", default="", help="why, for the history")
    command.add_argument("--force", action="store_true", help="also if a rollback left it")
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

    _add_import(commands)
    add_buying(commands)

    command = commands.add_parser("ui", help="Prefect server, MLflow server and a worker on loopback")
    command.add_argument("--prefect-port", type=int, help="default: POINTSMAN_PREFECT_PORT, or 4200")
    command.add_argument("--mlflow-port", type=int, help="default: POINTSMAN_MLFLOW_PORT, or 5000")
    command.add_argument("--home", type=Path, help="folder with data/ and mlruns/ (default: POINTSMAN_HOME, or here)")
    command.set_defaults(command=_ui)
    _add_studies(commands)


def _add_import(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser(
        "import",
        help="turn a gateway's logs or an evaluation's results into tables",
        epilog="example: pointsman import litellm-spend spend.jsonl.gz --data logs --append",
    )
    command.add_argument(
        "source",
        nargs="?",
        help="the log format: decisions, inspect, langfuse, litellm-spend, llmrouter, lm-eval, openai-batch, otel, "
        "promptfoo, routerbench, tables or wide-csv; --list describes them",
    )
    command.add_argument("path", type=Path, nargs="*", help="files, or folders of files")
    command.add_argument("--list", action="store_true", help="describe the log formats")
    command.add_argument("--data", type=Path, help="folder for the tables")
    command.add_argument("--append", action="store_true", help="add to the tables that are there; calls count once")
    command.add_argument("--scale", help="the grades' worst and best value, such as 1:10 (default: 0:1)")
    command.add_argument(
        "--rename", action="append", default=[], metavar="A=B", help="call model A of the log B; may be repeated"
    )
    command.add_argument("--prices", type=Path, help="table of prices, or LiteLLM's price map")
    command.add_argument("--metric", help="which of several scores is the quality")
    command.add_argument(
        "--earlier-turns", type=int, metavar="K", help="user turns before the last one that a prompt holds (default: 2)"
    )
    command.add_argument("--system-prompts", action="store_true", help="prompts hold system prompts too")
    command.add_argument("--tool-results", action="store_true", help="prompts hold what tools answered at the end too")
    command.add_argument("--no-responses", action="store_true", help="keep no answers, not even ungraded ones")
    command.add_argument(
        "--most-unusable",
        type=float,
        default=0.5,
        help="stop where a larger share of rows can't be used (default: 0.5)",
    )
    command.set_defaults(command=_import)


def _add_studies(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """What is looked into beside the weekly line."""
    command = commands.add_parser("compare", help="every method on several splits of the logs: tables and figures")
    command.add_argument("--data", type=Path, required=True, help="folder of logs, or of the standard blocks")
    command.add_argument("--preset", choices=["smoke", "full"], default="full")
    command.add_argument("--block", action="append", default=[], help="only this block; may be repeated")
    command.add_argument("--splits", type=int, default=5)
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(command=_compare)

    command = commands.add_parser("drift", help="compare recent prompts with what the router was trained on")
    router_option(command)
    command.add_argument("--recent", type=Path, required=True, help="folder with prompts, or with embeddings only")
    command.set_defaults(command=_drift)

    command = commands.add_parser("extrapolate", help="study how implicit models and their rivals do under shift")
    _study_options(command)
    command.set_defaults(command=_extrapolate)


def _study_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", choices=["smoke", "full"], default="full")
    command.add_argument("--seed", type=int, default=0, help="the first of the seeds")
    command.add_argument("--seeds", type=int, help="how many (default: 5, smoke: 2)")
    command.add_argument("--data", type=Path, help="folder of real prices, epicentres and houses (default: generated)")
    command.add_argument("--problem", action="append", default=[], help="only this one; may be repeated")


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
    from flows.platform.settings import prepare_environment

    _begin("retrain", options.data)
    prepare_environment()
    from flows.retrain import RetrainParameters, run_retrain

    return run_retrain(
        RetrainParameters(
            data=options.data,
            decisions=options.decisions,
            preset=options.preset,
            encoder=options.encoder,
            policy=options.policy,
            force=options.force,
            seed=options.seed,
            most_faulty=options.most_faulty,
        )
    )


def _report(options: argparse.Namespace) -> int:
    from components.reports.console import method_table
    from components.reports.page import write_page
    from flows.platform import paths
    from pointsman.bundle.reading import read_report
    from pointsman.router import local_folder

    folder = local_folder(options.router)
    report = read_report(folder)
    print(method_table(report))
    print(f"report: {write_page(report, options.output or paths.reports() / folder.name)}")
    return 0


def _promote(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.platform import paths
    from flows.stations.promote import promote_waiting
    from pointsman.bundle.pointer import read_pointer

    before = read_pointer(paths.published())
    verdict = promote_waiting(options.reason, options.force)
    print(f"router {verdict.router_id[:12]}: {verdict.verdict} {'; '.join(verdict.reasons)}".rstrip())
    print(f"in service before: {before or 'none'}\nin service now: {read_pointer(paths.published()) or 'none'}")
    return 0 if verdict.verdict == "promoted" else 1


def _rollback(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.platform import paths
    from flows.stations.promote import roll_back
    from pointsman.bundle.pointer import read_pointer

    before = read_pointer(paths.published())
    now = roll_back(options.to, options.reason)
    print(f"router {now[:12]} is in service again" + (f"; {before[:12]} was" if before and before != now else ""))
    print(f"in service before: {before or 'none'}\nin service now: {now}")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.platform.tracking import registry
    from flows.stations.doctor import examine

    told = examine(registry())
    print("\n".join(told))
    return int(any(line.startswith("damaged") for line in told))


def _history(_: argparse.Namespace) -> int:
    from components.release.history import read_history, readable
    from flows.platform import paths
    from pointsman.bundle.pointer import read_pointer

    root = paths.published()
    print("\n".join(readable(read_history(root), read_pointer(root))))
    return 0


def _import(options: argparse.Namespace) -> int:
    from components.sources.call import ReadOptions
    from components.sources.importers import described
    from components.sources.importing import ImportConfig, ImportRefused, import_logs

    if options.list:
        print(described())
        return 0
    if options.source is None or options.data is None:
        raise ValueError(
            "give a log format, its files and --data FOLDER; pointsman import --list describes the formats"
        )
    read = ReadOptions(
        scale=None if options.scale is None else _scale(options.scale),
        metric=options.metric,
        rename=dict(_renamed(text) for text in options.rename),
        responses=not options.no_responses,
    )
    config = ImportConfig(
        source=options.source,
        paths=tuple(options.path),
        data=options.data,
        append=options.append,
        prices=options.prices,
        most_unusable=options.most_unusable,
        read=read,
        conversation=_turns(options),
    )
    try:
        print(import_logs(config).text())
    except ImportRefused as error:
        print(f"pointsman: {error}", file=sys.stderr)
        return 2
    print(f"tables written to {options.data}")
    return 0


def _turns(options: argparse.Namespace) -> "ConversationConfig | None":
    from pointsman.text.conversation import DEFAULT, ConversationConfig

    if options.earlier_turns is None and not options.system_prompts and not options.tool_results:
        return None
    return ConversationConfig(
        earlier_turns=DEFAULT.earlier_turns if options.earlier_turns is None else options.earlier_turns,
        system=options.system_prompts,
        tool_results=options.tool_results,
    )


def _scale(text: str) -> tuple[float, float]:
    worst, colon, best = text.partition(":")
    try:
        return (float(worst), float(best)) if colon else (0.0, float(worst))
    except ValueError:
        raise ValueError(f"--scale must be WORST:BEST, such as 1:10, got '{text}'") from None


def _renamed(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (equals and old.strip() and new.strip()):
        raise ValueError(f"--rename must be OLD=NEW, got '{text}'")
    return old.strip(), new.strip()


def _compare(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    if not options.data.is_dir():
        raise ValueError(f"{options.data}: no such folder")
    print(f"compare on {options.data}: about an hour on one core with --preset full", file=sys.stderr, flush=True)
    prepare_environment()
    from flows.compare import CompareParameters, run_compare

    return run_compare(
        CompareParameters(
            data=options.data, preset=options.preset, blocks=options.block, splits=options.splits, seed=options.seed
        )
    )


def _drift(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.drift import DriftParameters, run_drift

    return run_drift(DriftParameters(recent=options.recent, router=options.router))


def _extrapolate(options: argparse.Namespace) -> int:
    from flows.platform.settings import prepare_environment

    prepare_environment()
    from flows.extrapolation import ExtrapolationParameters, run_extrapolation

    return run_extrapolation(
        ExtrapolationParameters(
            preset=options.preset, seed=options.seed, seeds=options.seeds, data=options.data, problems=options.problem
        )
    )


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

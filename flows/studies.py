"""Commands beside the weekly run: compare, drift and extrapolate."""

import argparse
import sys

from pointsman.commands import router_option
from pointsman.options import path, seed


def add_studies(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds them to a parser's."""
    command = commands.add_parser("compare", help="every method on several splits of the logs: tables and figures")
    command.add_argument("--data", type=path, required=True, help="folder of logs, or of the standard blocks")
    command.add_argument("--preset", choices=["smoke", "full"], default="full", help="smoke: two splits, and no tuning")
    command.add_argument("--block", action="append", default=[], help="only this block; may be repeated (default: all)")
    command.add_argument("--splits", type=int, default=5, help="folds; every prompt is judged in one")
    command.add_argument("--seed", type=seed, default=0, help="of splits, networks and bootstrap")
    command.set_defaults(command=_compare)

    command = commands.add_parser("drift", help="compare recent prompts with what the router was trained on")
    router_option(command)
    command.add_argument("--recent", type=path, required=True, help="folder with prompts, or with embeddings only")
    command.add_argument(
        "--examples", action="store_true", help="quote some prompts in the report, which MLflow and Prefect keep"
    )
    command.set_defaults(command=_drift)

    command = commands.add_parser("extrapolate", help="study how implicit models and their rivals do under shift")
    _study_options(command)
    command.set_defaults(command=_extrapolate)


def _study_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--preset", choices=["smoke", "full"], default="full", help="smoke learns from few samples, in minutes"
    )
    command.add_argument("--seed", type=seed, default=0, help="the first of the seeds")
    command.add_argument("--seeds", type=int, help="how many (default: 5, smoke: 2)")
    command.add_argument("--data", type=path, help="folder of real prices, epicentres and houses (default: generated)")
    command.add_argument("--problem", action="append", default=[], help="only this one; may be repeated (default: all)")


def _compare(options: argparse.Namespace) -> int:
    from flows.platform.prefect_server import started_beside
    from flows.platform.settings import prepare_environment

    if not options.data.is_dir():
        raise ValueError(f"{options.data}: no such folder")
    print(f"compare on {options.data}: about an hour on one core with --preset full", file=sys.stderr, flush=True)
    prepare_environment()
    with started_beside():
        from flows.compare import CompareParameters, run_compare

        parameters = CompareParameters(
            data=options.data, preset=options.preset, blocks=options.block, splits=options.splits, seed=options.seed
        )
    return run_compare(parameters)


def _drift(options: argparse.Namespace) -> int:
    from flows.platform.prefect_server import started_beside
    from flows.platform.settings import prepare_environment

    if not options.recent.is_dir():
        raise ValueError(f"{options.recent}: no such folder")
    print(f"drift: {options.recent} against {options.router}", file=sys.stderr, flush=True)
    prepare_environment()
    with started_beside():
        from flows.drift import DriftParameters, run_drift

        parameters = DriftParameters(recent=options.recent, router=options.router, examples=options.examples)
    return run_drift(parameters)


def _extrapolate(options: argparse.Namespace) -> int:
    from flows.platform.prefect_server import started_beside
    from flows.platform.settings import prepare_environment

    print(f"extrapolate: {', '.join(options.problem) or 'every problem'}", file=sys.stderr, flush=True)
    prepare_environment()
    with started_beside():
        from flows.extrapolation import ExtrapolationParameters, run_extrapolation

        parameters = ExtrapolationParameters(
            preset=options.preset, seed=options.seed, seeds=options.seeds, data=options.data, problems=options.problem
        )
    return run_extrapolation(parameters)

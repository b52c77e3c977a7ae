"""The command that turns a gateway's logs or an evaluation's results into tables."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pointsman.options import given, path

if TYPE_CHECKING:
    from pointsman.text.conversation import ConversationConfig


def add_import(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds it to a parser's."""
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
    command.add_argument(
        "path", type=given, nargs="*", help="files, or folders of files; of decisions, the URL of an object store too"
    )
    command.add_argument("--list", action="store_true", help="describe the log formats")
    command.add_argument("--data", type=path, help="folder for the tables")
    command.add_argument("--append", action="store_true", help="add to the tables that are there; calls count once")
    command.add_argument("--scale", help="the grades' worst and best value, such as 1:10 (default: 0:1)")
    command.add_argument(
        "--rename", action="append", default=[], metavar="A=B", help="call model A of the log B; may be repeated"
    )
    command.add_argument("--prices", type=path, help="table of prices, or LiteLLM's price map")
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


def _import(options: argparse.Namespace) -> int:
    from components.sources.call import ReadOptions
    from components.sources.fetched import local_log
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
    with ExitStack() as copies:
        # files of other formats at a URL are for their own tools to fetch
        of_decisions = options.source == "decisions"
        paths = [copies.enter_context(local_log(path)) if of_decisions else Path(path) for path in options.path]
        config = ImportConfig(
            source=options.source,
            paths=tuple(paths),
            data=options.data,
            append=options.append,
            prices=options.prices,
            most_unusable=options.most_unusable,
            read=read,
            conversation=_turns(options),
        )
        try:
            tally = import_logs(config)
        except ImportRefused as error:
            print(f"pointsman: {error}", file=sys.stderr)
            return 2
    print(tally.text())
    print(f"tables written to {options.data}")
    if tally.graded or tally.grades:
        print(f"next: pointsman retrain --data {options.data}")
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

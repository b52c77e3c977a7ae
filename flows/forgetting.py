"""`pointsman forget`: the command line of forgetting prompts."""

import argparse
import sys
from pathlib import Path

from pointsman.options import given, path


def add_forgetting(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to a parser's."""
    command = commands.add_parser("forget", help="remove prompts from tables, logs, caches, samples and reports")
    command.add_argument("--prompt-id", action="append", default=[], metavar="ID", help="may be repeated")
    command.add_argument("--conversation", action="append", default=[], metavar="ID", help="all prompts of it")
    command.add_argument("--tenant", action="append", default=[], metavar="NAME", help="all of its decisions")
    command.add_argument(
        "--data", type=path, action="append", default=[], help="a folder of tables besides data/logs and data/recent"
    )
    command.add_argument(
        "--decisions", type=given, action="append", default=[], help="a folder or URL of `serve --decisions`"
    )
    command.add_argument("--dry-run", action="store_true", help="only say what would go and what would be left")
    command.set_defaults(command=_forget)


def _forget(options: argparse.Namespace) -> int:
    from components.forgetting.wanted import Asked
    from flows.platform.settings import prepare_environment
    from pointsman.bundle.pointer import is_url

    if not (options.prompt_id or options.conversation or options.tenant):
        raise ValueError("say what to forget: --prompt-id, --conversation or --tenant")
    for folder in (*options.data, *options.decisions):
        if not (is_url(folder) or Path(folder).is_dir()):
            raise ValueError(f"{folder}: no such folder")
    print("forget: looks through tables, logs, caches, samples and reports", file=sys.stderr, flush=True)
    prepare_environment()
    from flows.stations.forget import forget, text_of

    asked = Asked(
        prompt_ids=frozenset(options.prompt_id),
        conversations=frozenset(options.conversation),
        tenants=frozenset(options.tenant),
    )
    found = forget(asked, options.data, options.decisions, dry_run=options.dry_run)
    print(text_of(found, dry_run=options.dry_run))
    return 1 if found.left else 0

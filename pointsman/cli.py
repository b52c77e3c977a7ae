"""The command line: what a gateway runs, and, in a checkout, what trains and judges its routers.

Heavy libraries are imported inside the command that needs them, so that routing starts at once.
"""

import argparse
import errno
import json
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pointsman.completion import SHELLS, completion
from pointsman.home import published

CHECKOUT = Path(__file__).resolve().parents[1]
TRAINING = (
    *("retrain", "compare", "drift", "extrapolate", "import", "report"),
    *("grade", "collect", "onboard", "demo"),
    *("promote", "rollback", "history", "doctor", "ui"),
)
"""Commands of a checkout; an installed wheel only says where they are."""
POLICIES = "operating (what the bundle declares) | best | budget=USD | quality=Q | tradeoff=W | tolerance=T"
_MACHINE = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EIO, errno.ENOTDIR, errno.EMFILE}
)
"""What a disk or the system answers that no program can mend: one line instead of a traceback."""
EXAMPLES = {
    "route": "--input prompts.jsonl --output decisions.csv --policy tradeoff=0.2",
    "serve": "--port 8080 --token-file token.txt",
    "explain": "--prompt 'What is 17 * 23?'",
    "whatif": "--requests 1000000",
    "completion": "bash > ~/.local/share/bash-completion/completions/pointsman",
    "retrain": "--data data/logs --policy parity",
    "report": "--router data/published",
    "rollback": "--to 3f9a12",
    "ui": "--prefect-port 4201 --mlflow-port 5001",
    "compare": "--data data/logs --splits 5",
    "drift": "--recent data/recent",
    "extrapolate": "--preset smoke --problem add",
    "grade": "--data data/logs --by reference",
    "collect": "--data data/logs --url http://localhost:4000/v1 --budget 5 --dry-run",
    "onboard": "--data data/logs --model new-model",
}
"""A call of each command that has options worth showing, for its help."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code.

    0: done; 1: refused by the gate, or drift found; 2: unusable input; 3: an error that none of our messages foresees.
    """
    _take_home(arguments)
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("pointsman", "components", "flows"):
            traceback.print_exc()
            return 3
        extra = "train" if options.name in TRAINING else "serve"
        print(
            f"pointsman: `pointsman {options.name}` needs the extra '{extra}' ({error.name} is missing): "
            f"pip install 'pointsman[{extra}]'",
            file=sys.stderr,
        )
        return 2
    except ValueError as error:
        print(f"pointsman: {one_line(error)}", file=sys.stderr)
        return 2
    except Exception as error:
        if known := _outside(error):
            print(f"pointsman: {known}", file=sys.stderr)
            return 2
        # Python would end with 1, as a refusal does
        traceback.print_exc()
        return 3


def _run(options: argparse.Namespace) -> int:
    try:
        code = int(options.command(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read the output, such as head, has seen enough; Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    return code


def _outside(error: BaseException) -> str | None:
    """One line on what the machine refused, such as a full disk or a locked database; None: something else."""
    text = str(error).splitlines()[0] if str(error) else ""
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return f"{error.filename or 'a file'}: {error.strerror}"
    if isinstance(error, FileNotFoundError) or type(error).__name__ == "Busy":
        return text
    if any(cause in text for cause in ("database is locked", "database or disk is full", "readonly database")):
        what = next(cause for cause in ("locked", "full", "readonly") if cause in text)
        return (
            f"a database is {what} ({type(error).__name__}): another run may hold it, or its disk; run it again later"
        )
    return None if error.__cause__ is None else _outside(error.__cause__)


def one_line(error: BaseException) -> str:
    """An error's message without line breaks; of a form (pydantic), each field with what is wrong.

    >>> one_line(ValueError("outcomes.parquet:\\n  is empty"))
    'outcomes.parquet: is empty'
    """
    fields = getattr(error, "errors", None)
    if callable(fields):
        return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in fields())
    return " ".join(str(error).split())


def _take_home(arguments: Sequence[str] | None) -> None:
    """Lets --home take the place of POINTSMAN_HOME for everything that follows, other options' defaults too."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--home", type=Path)
    home = parser.parse_known_args(arguments)[0].home
    if home is not None:
        os.environ["POINTSMAN_HOME"] = str(home.resolve())


class _Help(argparse.RawDescriptionHelpFormatter):
    """Says the default of every option that has one, unless the help's text does already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        told = action.help or ""
        silent = action.default in (None, False, argparse.SUPPRESS, "", 0) or action.default == []
        return told if silent or "default" in told else f"{told} (default: %(default)s)".strip()


def _finish(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Gives every command an example, the option --home and a help that says its defaults."""
    for name, command in commands.choices.items():
        if not command.add_help:
            continue
        command.formatter_class = _Help
        for action in command._actions:
            if action.help is None and action.default is not None:
                action.help = "(default: %(default)s)"
        if command.epilog is None:
            command.epilog = f"example: pointsman {name} {EXAMPLES.get(name, '')}".strip()
        if not any("--home" in action.option_strings for action in command._actions):
            command.add_argument(
                "--home", type=Path, help="folder that holds data/ and mlruns/ (default: POINTSMAN_HOME, or here)"
            )


def router_option(command: argparse.ArgumentParser) -> None:
    """Adds --router, which takes a bundle or a published folder, or the URL of either."""
    command.add_argument(
        "--router",
        type=_location,
        default=published(),
        help="a bundle or a published folder, or its URL (default: data/published in POINTSMAN_HOME, or here)",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pointsman",
        description="Trains, judges and publishes LLM prompt routers.",
        epilog="pointsman COMMAND --help has an example of each. Exit codes: 0 done, 1 refused or drift, 2 unusable "
        "input, 3 an error that no message foresees.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")

    command = commands.add_parser("route", help="choose a candidate for each prompt of a file")
    router_option(command)
    command.add_argument("--input", type=Path, required=True, help="parquet, jsonl, json or csv with a column 'prompt'")
    command.add_argument("--output", type=Path, required=True, help="parquet, jsonl, json or csv")
    command.add_argument("--policy", default="operating", help=POLICIES)
    command.add_argument("--among", help="candidates that may be chosen, with commas between (default: all)")
    command.add_argument("--exclude", default="", help="candidates that may not be chosen, with commas between")
    command.add_argument("--requires", default="", help="capabilities that the choice must have, such as tools,vision")
    command.add_argument(
        "--max-output-tokens", type=int, default=0, metavar="N", help="of the answer: must fit into the context window"
    )
    command.set_defaults(command=_route)

    command = commands.add_parser("explain", help="why a router decides as it does on a prompt")
    router_option(command)
    command.add_argument("--prompt", required=True, help="the text")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(command=_explain)

    command = commands.add_parser("whatif", help="what each policy of a router would cost and get")
    router_option(command)
    command.add_argument("--requests", type=int, default=2_000_000, help="a month (default: 2000000)")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(command=_whatif)

    command = commands.add_parser("serve", help="answer routing requests over HTTP")
    router_option(command)
    command.add_argument("--host", default="127.0.0.1")
    command.add_argument(
        "--token-file", type=Path, help="holds the bearer token to ask for (default: POINTSMAN_SERVE_TOKEN, or none)"
    )
    command.add_argument("--port", type=int, default=8080)
    _serving_options(command)
    command.set_defaults(command=_serve)

    command = commands.add_parser("completion", help="print a script that completes commands and options with Tab")
    command.add_argument("shell", choices=SHELLS, help="the shell that is to complete them")
    command.set_defaults(command=lambda options: print(completion(options.shell, commands), end="") or 0)

    if (CHECKOUT / "flows" / "cli.py").is_file() and (CHECKOUT / "components" / "learning").is_dir():
        import_module("flows.cli").add_commands(commands)
    else:
        for name in TRAINING:
            command = commands.add_parser(name, help="needs a checkout of the project", add_help=False)
            command.set_defaults(command=_elsewhere)
            command.add_argument("rest", nargs=argparse.REMAINDER)
    _finish(commands)
    return parser


def _serving_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--decisions", type=Path, metavar="DIR", help="keep a log of decisions and outcomes here")
    command.add_argument(
        "--decision-text",
        choices=("full", "hash", "embedding"),
        default="full",
        help="what the log keeps of prompts; only full ones can be learnt from (default: full)",
    )
    command.add_argument(
        "--explore", type=float, default=0.0, metavar="R", help="share of decisions drawn among plausible candidates"
    )
    command.add_argument(
        "--explore-budget", type=float, metavar="USD", help="most that exploration may add to 1000 decisions' cost"
    )
    command.add_argument("--explore-not", default="", metavar="TENANTS", help="tenants never explored on, with commas")
    command.add_argument("--shadow", metavar="DIR", help="a second router that decides too, without counting")
    command.add_argument(
        "--canary", type=float, metavar="SHARE", help="share of sessions that the shadow decides for, until it is worse"
    )
    command.add_argument(
        "--sticky", type=float, metavar="Q", help="a session keeps its candidate unless another is better by Q quality"
    )


def _location(text: str) -> Path | str:
    return text if "://" in text else Path(text)


def _route(options: argparse.Namespace) -> int:
    from pointsman.files import route_file

    among = None if options.among is None else options.among.split(",")
    routed = route_file(
        options.router,
        options.input,
        options.output,
        options.policy,
        among,
        exclude=_names(options.exclude),
        requires=_names(options.requires),
        max_output_tokens=options.max_output_tokens,
    )
    empty = f", {routed.empty} of them on empty prompts" if routed.empty else ""
    print(f"{routed.prompts} decisions written to {options.output}{empty}")
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _explain(options: argparse.Namespace) -> int:
    from pointsman.explain import explain, text_of

    found = explain(options.router, options.prompt)
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else text_of(found))
    return 0


def _whatif(options: argparse.Namespace) -> int:
    from pointsman.whatif import text_of, whatif

    found = whatif(options.router, options.requests)
    print(json.dumps(found, indent=1, ensure_ascii=False) if options.json else text_of(found))
    return 0


def _serve(options: argparse.Namespace) -> int:
    from pointsman.policy.exploration import ExplorationConfig
    from pointsman.serving.app import ServingConfig, serve
    from pointsman.serving.canary import CanaryConfig
    from pointsman.serving.decision_log import LogConfig

    given = options.token_file
    token = os.environ.get("POINTSMAN_SERVE_TOKEN") if given is None else given.read_text(encoding="utf-8").strip()
    if token is None and options.host not in LOOPBACK:
        print(f"pointsman: whoever reaches {options.host} may ask, for there is no token", file=sys.stderr)
    exploration = ExplorationConfig(
        rate=options.explore,
        usd_per_1000=float("inf") if options.explore_budget is None else options.explore_budget,
        opted_out=frozenset(_names(options.explore_not)),
    )
    config = ServingConfig(
        token=token,
        explore=exploration,
        log=None if options.decisions is None else LogConfig(folder=options.decisions, text=options.decision_text),
        shadow=options.shadow,
        canary=None if options.canary is None else CanaryConfig(share=options.canary),
        sticky=options.sticky,
    )
    serve(options.router, host=options.host, port=options.port, config=config)
    return 0


def _elsewhere(options: argparse.Namespace) -> int:
    print(
        f"pointsman: `pointsman {options.name}` is part of the training side: run it in a checkout of the project, "
        "installed with the extra 'train' (pip install -e '.[train]')",
        file=sys.stderr,
    )
    return 2

"""The command line: what a gateway runs, and, in a checkout, what trains and judges its routers.

Heavy libraries are imported inside the command that needs them, so that routing starts at once.
"""

import argparse
import atexit
import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from pointsman.commands import add_commands
from pointsman.options import path

CHECKOUT = Path(__file__).resolve().parents[1]
TRAINING = (
    *("retrain", "compare", "drift", "extrapolate", "import", "report"),
    *("grade", "collect", "onboard", "demo"),
    *("promote", "rollback", "history", "doctor", "keygen", "forget", "ui"),
)
"""Commands of a checkout; an installed wheel only says where they are."""
ORDER = (
    *("demo", "import", "retrain", "report", "history"),
    *("route", "explain", "whatif", "serve"),
    *("grade", "collect", "onboard", "drift", "ui"),
    *("promote", "rollback", "doctor", "keygen", "forget"),
    *("compare", "extrapolate", "completion"),
)
"""Commands as the help lists them: the way from logs to a router, its use, its upkeep, its release, studies."""
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
    "forget": "--prompt-id 4f1c2a --decisions decisions --dry-run",
}
"""A call of each command that has options worth showing, for its help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code.

    0: done; 1: refused by the gate, or drift found; 2: unusable input; 3: an error that none of our messages foresees;
    130: stopped by Ctrl-C, as shells say it.
    """
    _take_home(arguments)
    _one_thread_each(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("pointsman", "components", "flows"):
            traceback.print_exc()
            return 3
        extra = "train" if options.name in TRAINING else "upstream" if error.name == "httpx" else "serve"
        if error.name.partition(".")[0] == "cryptography":
            extra = "signing"
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
        # Python ends by looking for garbage among all that the libraries made, which takes seconds after a retrain;
        # after one that was stopped, there is some to find
        atexit.register(gc.freeze)
    except BrokenPipeError:
        # whoever read the output, such as head, has seen enough; Python would complain once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        print("pointsman: stopped", file=sys.stderr)
        code = 130
    return code


def _outside(error: BaseException) -> str | None:
    """One line on what the machine refused, such as a full disk or a locked database; None: something else."""
    text = str(error).splitlines()[0] if str(error) else ""
    if isinstance(error, FileNotFoundError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return f"{error.filename or 'a file'}: {error.strerror}"
    if isinstance(error, FileNotFoundError) or type(error).__name__ == "Busy":
        return text
    if type(error).__name__ == "MlflowException" and "failed with exception" in text:
        # its text quotes the address, which may hold a password
        return "MLflow's server doesn't answer: start it and run the command again"
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
        # what our own checks raise, pydantic introduces by the kind of error
        said = (f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in fields())
        return "; ".join(said)
    return " ".join(str(error).split())


def _take_home(arguments: Sequence[str] | None) -> None:
    """Lets --home take the place of POINTSMAN_HOME for everything that follows, other options' defaults too."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--home", type=path)
    home = parser.parse_known_args(arguments)[0].home
    if home is not None:
        os.environ["POINTSMAN_HOME"] = str(home.resolve())


def _one_thread_each(arguments: Sequence[str]) -> None:
    """Keeps linear algebra on the thread that asks, where a server has threads of its own: others would only spin.

    numpy reads this when it is loaded.
    """
    if list(arguments[:1]) == ["serve"]:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Says the default of every option that may be left out, unless the help's text does already."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help or ""
        if "default" in text or action.required or action.nargs == 0 or not action.option_strings:
            return text
        known = action.default not in (None, "", argparse.SUPPRESS) and action.default != []
        return f"{text} (default: {'%(default)s' if known else 'none'})"


def _finish(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Gives every command a sentence, an example, the option --home and a help that says its defaults."""
    commands._choices_actions.sort(key=lambda listed: ORDER.index(listed.dest))
    sentences = {listed.dest: listed.help or "" for listed in commands._choices_actions}
    for name, command in commands.choices.items():
        if not command.add_help:
            continue
        if command.description is None:
            command.description = f"{sentences[name][:1].upper()}{sentences[name][1:]}."
        command.formatter_class = _Help
        if command.epilog is None:
            command.epilog = f"example: pointsman {name} {EXAMPLES.get(name, '')}".strip()
        if not any("--home" in action.option_strings for action in command._actions):
            command.add_argument(
                "--home", type=path, help="folder that holds data/ and mlruns/ (default: POINTSMAN_HOME, or here)"
            )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pointsman",
        description="Trains, judges and publishes LLM prompt routers.",
        epilog="pointsman COMMAND --help has an example of each. Exit codes: 0 done, 1 refused or drift, 2 unusable "
        "input, 3 an error that no message foresees.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")
    add_commands(commands)
    if (CHECKOUT / "flows" / "cli.py").is_file() and (CHECKOUT / "components" / "learning").is_dir():
        import_module("flows.cli").add_commands(commands)
    else:
        for name in TRAINING:
            command = commands.add_parser(name, help="needs a checkout of the project", add_help=False)
            command.set_defaults(command=_elsewhere)
            command.add_argument("rest", nargs=argparse.REMAINDER)
    _finish(commands)
    return parser


def _elsewhere(options: argparse.Namespace) -> int:
    print(
        f"pointsman: `pointsman {options.name}` is part of the training side: run it in a checkout of the project, "
        "installed with the extra 'train' (pip install -e '.[train]')",
        file=sys.stderr,
    )
    return 2

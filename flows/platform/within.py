"""Runs another program as Pointsman's own would be: `python -m flows.platform.within prefect deployment ls`."""

import os
import sys
from pathlib import Path

from flows.platform import paths
from flows.platform.guard import is_server
from flows.platform.settings import prepare_environment, settings


def main(command: list[str]) -> None:
    """Becomes the program, with the environment that settings give the servers and the worker.

    A dashboard's server is guarded where POINTSMAN_ALLOWED_HOSTS says by which names it may be called.

    Raises:
        SystemExit: no command was given.
        FileNotFoundError: there is no such program.
    """
    if not command:
        raise SystemExit("usage: python -m flows.platform.within PROGRAM [ARGUMENT ...]")
    prepare_environment(log_level="INFO", home=paths.home())
    for name, value in settings().mlflow_server.items():
        os.environ.setdefault(name, value)
    if is_server(command) and settings().allowed_hosts:
        os.execv(sys.executable, [sys.executable, "-m", "flows.platform.guard", *command])  # noqa: S606
    # the programs beside this Python come first: `prefect` means ours, activated or not
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])

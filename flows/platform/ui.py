"""Both dashboards and a worker on loopback, started, kept up and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

import httpx

from flows.platform import paths
from flows.platform.joining import announced
from flows.platform.password import USER, client_variables, ensure_password, kept_in, server_variables
from flows.platform.settings import settings
from flows.platform.together import ending_with_this

_HOST = "127.0.0.1"
_PATIENCE_S = 600
_FALLS, _WITHIN_S = 3, 120
"""A server that ends this often within so many seconds isn't started again."""


@dataclass(slots=True, kw_only=True)
class Service:
    """One of the three, and its process."""

    name: str
    command: list[str]
    """Arguments of this Python."""
    environment: Mapping[str, str]
    health: str | None = None
    """Address that answers once it is up; None: there is nothing to ask."""
    process: subprocess.Popen[bytes] | None = None
    falls: deque[float] = field(default_factory=lambda: deque(maxlen=_FALLS))

    def start(self) -> None:
        """Starts it, in a process group of its own; it ends with this process, however that ends."""
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *self.command],
            env={**self.environment, **ending_with_this()},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
        )

    @property
    def ended(self) -> bool:
        """Whether it was started and is no more."""
        return self.process is not None and self.process.poll() is not None

    def signal(self, sign: signal.Signals) -> None:
        """Signals it and everything that it started."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, sign)
            except ProcessLookupError:
                return

    def stands_up_again(self) -> None:
        """Starts it once more after it ended; what it left running is ended first.

        Raises:
            RuntimeError: it ended too often.
        """
        self.falls.append(time.monotonic())
        if len(self.falls) == _FALLS and self.falls[-1] - self.falls[0] < _WITHIN_S:
            raise RuntimeError(f"{self.name} ended {_FALLS} times within {_WITHIN_S} s; its message is above")
        print(f"{self.name} ended; starting it again", file=sys.stderr, flush=True)
        self.signal(signal.SIGKILL)
        self.start()


def serve_ui(*, prefect_port: int, mlflow_port: int) -> int:
    """Runs Prefect's server, MLflow's server and the deployments until Ctrl-C, then stops all three.

    Raises:
        ValueError: a port is in use.
        RuntimeError: a server ended too often, or didn't answer within ten minutes.
    """
    _require_free(prefect_port, mlflow_port)
    print("starting Prefect, MLflow and a worker; the first time takes about a minute", file=sys.stderr, flush=True)
    prefect, mlflow = f"http://{_HOST}:{prefect_port}", f"http://{_HOST}:{mlflow_port}"
    given, made = os.environ.get("POINTSMAN_DASHBOARD_PASSWORD"), False
    if not given:
        given, made = ensure_password()
    services = _services(prefect_port, mlflow_port, given)
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _interrupt)
    try:
        servers = [service for service in services if service.health]
        for service in servers:
            service.start()
        for service in servers:
            _wait(service)
        for service in services[len(servers) :]:
            service.start()
        print(
            f"Prefect:     {prefect}\nMLflow:      {mlflow}\nDeployments: {prefect}/deployments\n"
            f"Runs:        {prefect}/runs\n{_experiments(mlflow, given)}"
            f"Folder:      {paths.home()}\n{_sign_in(given if made else None)}\n"
            "Ctrl-C stops everything; runs and data stay.",
            flush=True,
        )
        with announced(f"{prefect}/api", mlflow):
            while True:
                time.sleep(0.5)
                for service in services:
                    if service.ended:
                        service.stands_up_again()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(services)


def _experiments(mlflow: str, password: str) -> str:
    """Lines with the way to what MLflow has of this installation; none before the first run."""
    lines = []
    for name, title in (("pointsman", "Retrains"), ("pointsman-drift", "Drift")):
        asked = f"{mlflow}/api/2.0/mlflow/experiments/get-by-name"
        with suppress(httpx.HTTPError):
            found = httpx.get(asked, params={"experiment_name": name}, auth=(USER, password), timeout=10)
            if found.status_code == httpx.codes.OK:
                experiment = found.json()["experiment"]["experiment_id"]
                lines.append(f"{title + ':':<12} {mlflow}/#/experiments/{experiment}/runs\n")
    if lines:
        lines.append(f"Versions:    {mlflow}/#/models/pointsman\n")
    return "".join(lines)


def _sign_in(made: str | None) -> str:
    """How a person signs in; the password itself is printed once, when it was made."""
    where = "POINTSMAN_DASHBOARD_PASSWORD" if os.environ.get("POINTSMAN_DASHBOARD_PASSWORD") else kept_in()
    password = f"the one in {where}" if made is None else f"{made} (shown once; kept in {where})"
    return f"Sign in:     MLflow as {USER} with the password, Prefect with {USER}:PASSWORD\nPassword:    {password}"


def _services(prefect_port: int, mlflow_port: int, password: str) -> list[Service]:
    """The servers, then what needs them."""
    here = settings()
    prefect, mlflow = f"http://{_HOST}:{prefect_port}", f"http://{_HOST}:{mlflow_port}"
    environment = os.environ | {
        **here.mlflow_server,
        **client_variables(password),
        "POINTSMAN_HOME": str(paths.home()),
        "POINTSMAN_MLFLOW_UI": mlflow,
        "PREFECT_API_URL": f"{prefect}/api",
        "PREFECT_UI_API_URL": f"{prefect}/api",
    }
    prefect_at, mlflow_at = (f"{_HOST}:{port},localhost:{port}" for port in (prefect_port, mlflow_port))
    asking = environment | server_variables(password) | {"POINTSMAN_DASHBOARD_PASSWORD": password}
    return [
        Service(
            name="the Prefect server",
            command=[
                "flows.platform.guard",
                "prefect",
                "server",
                "start",
                "--host",
                _HOST,
                "--port",
                str(prefect_port),
            ],
            environment=asking
            | {"POINTSMAN_ALLOWED_HOSTS": prefect_at, "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": _origins(prefect_at)},
            health=f"{prefect}/api/health",
        ),
        Service(
            name="the MLflow server",
            command=["flows.platform.guard", "mlflow", "server", "--host", _HOST, "--port", str(mlflow_port)],
            environment=asking
            | {
                "POINTSMAN_ALLOWED_HOSTS": mlflow_at,
                "MLFLOW_SERVER_ALLOWED_HOSTS": mlflow_at,
                "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": _origins(mlflow_at),
            },
            health=f"{mlflow}/health",
        ),
        Service(name="the worker", command=["flows.platform.deployments"], environment=environment),
    ]


def _origins(hosts: str) -> str:
    return ",".join(f"http://{host}" for host in hosts.split(","))


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require_free(prefect_port: int, mlflow_port: int) -> None:
    if prefect_port == mlflow_port:
        raise ValueError(f"Prefect and MLflow can't share port {prefect_port}")
    for port, option in ((prefect_port, "--prefect-port"), (mlflow_port, "--mlflow-port")):
        with socket.socket() as probe:
            # as servers bind: a port that only waits for an old connection's last packets is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                raise ValueError(f"port {port} on {_HOST} is in use; choose another with {option}") from error


def _wait(service: Service) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if service.ended:
            raise RuntimeError(f"{service.name} ended before it answered; its message is above")
        try:
            if httpx.get(str(service.health), timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"{service.name} didn't answer at {service.health} within {_PATIENCE_S} s")


def _stop(services: list[Service]) -> None:
    """Ends all: politely, the worker first, then by force whatever is left in their process groups."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        # a second Ctrl-C must not leave half of them running
        signal.signal(sign, signal.SIG_IGN)
    for service in reversed(services):
        service.signal(signal.SIGTERM)
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline and not all(s.process is None or s.ended for s in services):
        time.sleep(0.1)
    for service in services:
        service.signal(signal.SIGKILL)
        if service.process is not None:
            service.process.wait()

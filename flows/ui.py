"""Both dashboards and a worker on loopback, started and stopped together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from types import FrameType

from flows.settings import settings

_HOST = "127.0.0.1"
_PATIENCE_S = 120


def serve_ui(*, prefect_port: int, mlflow_port: int) -> int:
    """Runs Prefect's server, MLflow's server and the deployments until Ctrl-C, then stops all three.

    Raises:
        ValueError: a port is in use.
        RuntimeError: a server ended, or didn't answer within two minutes.
    """
    for port in (prefect_port, mlflow_port):
        _require_free(port)
    here = settings()
    prefect, mlflow = f"http://{_HOST}:{prefect_port}", f"http://{_HOST}:{mlflow_port}"
    environment = os.environ | {
        "PREFECT_API_URL": f"{prefect}/api",
        "PREFECT_UI_API_URL": f"{prefect}/api",
        "POINTSMAN_MLFLOW_UI": mlflow,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    run = [sys.executable, "-m"]
    processes: list[subprocess.Popen[bytes]] = []
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, _interrupt)
    try:
        processes.append(
            _start([*run, "prefect", "server", "start", "--host", _HOST, "--port", str(prefect_port)], environment)
        )
        store = ["--backend-store-uri", here.tracking_uri, "--artifacts-destination", str(here.artifacts)]
        address = ["--host", _HOST, "--port", str(mlflow_port), "--workers", "1"]
        processes.append(_start([*run, "mlflow", "server", *store, *address], environment))
        _wait(f"{prefect}/api/health", processes)
        _wait(f"{mlflow}/health", processes)
        processes.append(_start([*run, "flows.deployments"], environment))
        print(
            f"Prefect:  {prefect}\nMLflow:   {mlflow}\nWorker:   serving 'retrain'\nCtrl-C stops all three.", flush=True
        )
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        raise RuntimeError("one of the servers ended; its message is above")
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(processes)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex((_HOST, port)) == 0:
            raise ValueError(f"port {port} on {_HOST} is in use; choose another (--prefect-port, --mlflow-port)")


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)  # noqa: S603


def _wait(url: str, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            raise RuntimeError(f"a server ended before {url} answered; its message is above")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    raise RuntimeError(f"{url} didn't answer within {_PATIENCE_S} s")


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for process in reversed(processes):
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + 8
        while sign is signal.SIGTERM and time.monotonic() < deadline and any(p.poll() is None for p in processes):
            time.sleep(0.1)
    for process in processes:
        process.wait()

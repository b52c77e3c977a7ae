"""Who may ask the dashboards: `python -m flows.platform.guard prefect server start ...`, or `... mlflow server ...`.

A browser sends what any page asks it to send, and a name that an attacker owns may be pointed at loopback. So a request
under a foreign Host, or from a page of another origin, gets nothing. MLflow's server has no password of its own without
a table of users: here everybody is asked for the one that Prefect's server asks for too.
"""

import base64
import hmac
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from flows.platform.password import USER
from flows.platform.prefect_server import queue_writers
from flows.platform.settings import settings

HEALTH = frozenset({"/health", "/api/health", "/api/ready"})
"""Paths that a probe may ask without the password."""
_MLFLOW = "flows.platform.guard:mlflow_app"


class Guard:
    """Lets requests through that name an allowed host, come from its own pages or from none, and know the password."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], password: str | None) -> None:
        """Wraps an application.

        Args:
            app: what to guard.
            hosts: allowed values of the header Host, such as 127.0.0.1:5000.
            password: of the user pointsman; None: the application asks by itself.
        """
        self._app, self._hosts = app, frozenset(host.lower() for host in hosts)
        given = f"{USER}:{password}".encode()
        self._expected = None if password is None else b"Basic " + base64.b64encode(given)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to a foreign host or origin, 401 without the password, or passes on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope), scope["path"])
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # before it is accepted this ends the handshake with 403
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> PlainTextResponse | None:
        if headers.get("host", "").lower() not in self._hosts:
            return PlainTextResponse("this host isn't served here\n", 403)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in self._hosts:
            return PlainTextResponse("pages of other origins get nothing\n", 403)
        if self._expected is None or path in HEALTH:
            return None
        if hmac.compare_digest(headers.get("authorization", "").encode(), self._expected):
            return None
        return PlainTextResponse(
            "password needed\n", 401, {"WWW-Authenticate": 'Basic realm="Pointsman", charset="UTF-8"'}
        )


def mlflow_app() -> ASGIApp:
    """MLflow's server, guarded; uvicorn's factory."""
    with warnings.catch_warnings():
        # of starlette, on what MLflow imports from it
        warnings.simplefilter("ignore")
        from mlflow.server.fastapi_app import app  # noqa: PLC0415  # it reads the environment that its command has set

    return Guard(app, settings().allowed_hosts, settings().dashboard_password)


def main(command: Sequence[str]) -> int:
    """Runs one of the two servers' own commands, with the guard before what it serves.

    Raises:
        SystemExit: another command.
    """
    match list(command):
        case ["prefect", "server", "start", *_]:
            return _prefect(command)
        case ["mlflow", "server", *_]:
            return _mlflow(command)
        case _:
            raise SystemExit("usage: python -m flows.platform.guard prefect server start ... | mlflow server ...")


def is_server(command: Sequence[str]) -> bool:
    """Whether `main` runs this.

    >>> is_server(["mlflow", "server", "--port", "5000"]), is_server(["mlflow", "db", "upgrade"])
    (True, False)
    """
    return list(command[:3]) == ["prefect", "server", "start"] or list(command[:2]) == ["mlflow", "server"]


def _prefect(command: Sequence[str]) -> int:
    from prefect.cli import app as prefect_command  # noqa: PLC0415
    from prefect.server.api import server  # noqa: PLC0415

    queue_writers()
    make = server.create_app

    def guarded(*arguments: Any, **named: Any) -> Guard:
        # its API asks for the password by itself, and its pages hold no secret
        return Guard(make(*arguments, **named), settings().allowed_hosts, None)

    server.create_app = guarded  # type: ignore[assignment]
    return _as(command, prefect_command)


def _mlflow(command: Sequence[str]) -> int:
    import click  # noqa: PLC0415
    from mlflow import server  # noqa: PLC0415
    from mlflow.cli import cli  # noqa: PLC0415

    build = server._build_uvicorn_command  # plugins may replace the application, but need an install

    def guarded(opts: Any, host: str, port: int, workers: int, *_: Any, **__: Any) -> list[str]:
        quiet = f"{opts or ''} --log-level warning"
        made: list[str] = build(quiet, host, port, workers, _MLFLOW, None, is_factory=True)
        return made

    echo = click.echo

    def without_greeting(message: object = None, *arguments: Any, **named: Any) -> None:
        if not str(message).startswith("[MLflow] Security middleware enabled"):
            echo(message, *arguments, **named)

    server._build_uvicorn_command = guarded
    click.echo = without_greeting
    return _as(command, cli)


def _as(command: Sequence[str], run: Callable[[], Any]) -> int:
    sys.argv = list(command)
    return int(run() or 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

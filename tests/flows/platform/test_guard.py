"""Attack 1: who reaches a dashboard's port without its password, or by another name, gets nothing."""

import base64
import os
import stat

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from flows.platform import paths
from flows.platform.guard import Guard, is_server, main
from flows.platform.password import ensure_password, kept_password
from flows.platform.settings import settings

HERE = "127.0.0.1:5000"


async def secret(scope, receive, send):
    await PlainTextResponse("secret")(scope, receive, send)


def ask(guard, path="/", **headers):
    return TestClient(guard, headers={"host": HERE} | headers).get(path)


def signed(password):
    return "Basic " + base64.b64encode(f"pointsman:{password}".encode()).decode()


def test_the_password_opens():
    guard = Guard(secret, [HERE], "a b")
    assert ask(guard, authorization=signed("a b")).text == "secret"
    for wrong in ("", signed(""), signed("a c"), "Bearer a b", signed("a b")[:-1]):
        refused = ask(guard, authorization=wrong)
        assert (refused.status_code, "secret" in refused.text) == (401, False)
        assert refused.headers["www-authenticate"].startswith("Basic ")


def test_attack_1_a_foreign_host_or_origin_gets_nothing_even_with_the_password():
    guard = Guard(secret, [HERE], "pass")
    known = {"authorization": signed("pass")}
    for bad in (
        {"host": "evil.example"},
        {"host": "evil.example:5000"},
        {"host": "127.0.0.1:5001"},
        {"host": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:5001"},
        {"origin": "http://127.0.0.1:5000.evil.example"},
    ):
        for path in ("/", "/health", "/api/2.0/mlflow/runs/create"):
            refused = ask(guard, path, **known, **bad)
            assert (refused.status_code, "secret" in refused.text) == (403, False), bad
    assert ask(guard, **known, origin=f"http://{HERE}").text == "secret"


def test_probes_need_no_password_and_nothing_else_is_let_through():
    guard = Guard(secret, [HERE], "pass")
    assert ask(guard, "/health").status_code == 200
    for path in ("/healthy", "/health/..", "/x/health", "//health"):
        assert ask(guard, path).status_code == 401


def test_attack_1_a_web_socket_is_asked_too():
    guard = Guard(secret, [HERE], "pass")
    for headers in ({"host": "evil.example"}, {"host": HERE}, {"host": HERE, "origin": "http://evil.example"}):
        with pytest.raises(WebSocketDisconnect), TestClient(guard, headers=headers).websocket_connect("/api/events/in"):
            pass


def test_the_password_is_made_once_and_its_owner_alone_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.delenv("POINTSMAN_DASHBOARD_PASSWORD", raising=False)
    assert kept_password() is None
    assert settings().dashboard_password is None
    made, new = ensure_password()
    assert new
    assert len(made) >= 32
    assert ensure_password() == (made, False)
    assert settings().dashboard_password == made
    file = paths.secrets() / "dashboards"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(file.parent).st_mode) == 0o700
    monkeypatch.setenv("POINTSMAN_DASHBOARD_PASSWORD", "given")
    assert settings().dashboard_password == "given"


def test_only_servers_are_guarded():
    assert is_server(["prefect", "server", "start"])
    assert not is_server(["prefect", "worker", "start"])
    with pytest.raises(SystemExit, match="usage"):
        main(["sh"])

"""A real server under clients that say little, slowly or never: others are still answered, and it ends when told to."""

import contextlib
import http.client
import json
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
START = """
import json, resource, sys
from pointsman.serving.app import ServingConfig, serve
if files := int(sys.argv[4]):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
serve(sys.argv[1], port=int(sys.argv[2]), config=ServingConfig(**json.loads(sys.argv[3])))
"""
HALF = b"POST /v1/route HTTP/1.1\r\nHost: x\r\nContent-Length: 3900000\r\nContent-Type: application/json\r\n\r\n"


@contextlib.contextmanager
def serving(bundle, *, files=0, **config):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", START, str(bundle), str(port), json.dumps(config), str(files)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        server.first_line = server.stdout.readline()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
        yield server, port
    finally:
        server.kill()
        server.communicate()


def connect(port, said=b""):
    client = socket.create_connection(("127.0.0.1", port), 30)
    client.settimeout(30)
    if said:
        client.sendall(said)
    return client


def ask(port, path="/healthz", body=None, **headers):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET" if body is None else "POST", path, body, headers)
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def test_who_says_nothing_keeps_nobody_out(bundle):
    seconds = dict.fromkeys(("header_seconds", "body_seconds", "idle_seconds"), 1.0)
    with serving(bundle, largest_crowd=40, goodbye_seconds=2.0, **seconds) as (server, port):
        assert "no token" in server.first_line
        assert f":{port}" in server.first_line
        # twice as many silent ones as there is room for: the oldest makes room
        silent = [connect(port) for _ in range(80)]
        assert ask(port)[0] == 200
        body = json.dumps({"prompt": "add 1"}).encode()
        assert ask(port, "/v1/route", body, **{"content-type": "application/json"})[0] == 200
        # half a first line, half of the headers: hung up on
        for said in (b"POST /v1", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"):
            assert connect(port, said).recv(1000) == b""
        # half a body: told so
        assert b" 408 " in connect(port, HALF + b'{"prompt": "a').recv(1000)
        # answered once and silent since: hung up on
        idle = connect(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in b"".join(iter(lambda: idle.recv(1000), b""))
        for client in silent:
            client.close()
        # a half-sent request doesn't keep the server alive
        half = connect(port, HALF + b'{"prompt": "a')
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        server.wait(30)
        assert time.monotonic() - begun < 15
        half.close()


@pytest.mark.slow
def test_bodies_together_are_bounded_and_the_token_comes_first(bundle):
    with serving(bundle, bodies_in_memory=2_000_000, body_seconds=20.0, goodbye_seconds=1.0, token="sesame") as (
        server,
        port,
    ):
        # without the token the body isn't waited for
        assert b" 401 " in connect(port, HALF).recv(1000)
        allowed = HALF.replace(b"Host: x", b"Host: x\r\nAuthorization: Bearer sesame")
        filling = [connect(port, allowed + b"[" * 1_500_000) for _ in range(3)]
        # whichever comes last: there is room for one of them
        refused, _, _ = select.select(filling, [], [], 15)
        found = refused[0].recv(1000)
        assert b" 429 " in found
        assert b"retry-after: 1" in found.lower()
        # a small request finds room
        body = json.dumps({"prompt": "add 1"}).encode()
        headers = {"content-type": "application/json", "authorization": "Bearer sesame"}
        assert ask(port, "/v1/route", body, **headers)[0] == 200
        assert ask(port)[0] == 200
        # those that wait when the server's time is up are told, and leave nothing behind
        server.send_signal(signal.SIGTERM)
        told = [client.recv(1000) for client in filling if client not in refused]
        assert all(b" 503 " in answer or b" 429 " in answer for answer in told), told
        assert any(b" 503 " in answer for answer in told)
        assert "Traceback" not in server.communicate()[1]
        for client in filling:
            client.close()


@pytest.mark.slow
def test_what_is_in_flight_is_finished_when_told_to_end(bundle, prompts, tmp_path):
    with serving(bundle) as (server, port):
        body = json.dumps({"prompts": prompts * 40}).encode()
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(ask(port, "/v1/route", body, **{"content-type": "application/json"})[0])
            )
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        assert server.wait(30) in (0, -signal.SIGTERM)
        assert answers == [200] * 4


def test_pieces_of_large_requests_take_turns_with_short_ones():
    """However many pieces wait, a short request is next but one."""
    from pointsman.serving.batching import Batcher

    begun, go, order = threading.Event(), threading.Event(), []

    def work(jobs):
        begun.set()
        go.wait(10)
        order.extend(jobs)
        return jobs

    batcher = Batcher(work, len, workers=1, gather=4)
    futures = [batcher.submit("first")]
    begun.wait(10)
    futures += [batcher.submit(f"PIECE{number}", piece=True) for number in range(5)]
    futures += [batcher.submit(f"short{number}") for number in range(2)]
    go.set()
    assert [future.result(10) for future in futures]
    assert order == ["first", "PIECE0", "short0", "PIECE1", "short1", "PIECE2", "PIECE3", "PIECE4"]


def test_work_for_who_hung_up_is_dropped():
    import asyncio

    from pointsman.serving.decider import hung_up_first

    class Client:
        def __init__(self, *messages):
            self.messages = list(messages)

        async def receive(self):
            if not self.messages:
                await asyncio.sleep(60)
            return {"type": self.messages.pop(0)}

    async def main():
        loop = asyncio.get_running_loop()
        work = loop.create_future()
        assert await hung_up_first(Client("http.request", "http.disconnect"), work)
        assert work.cancelled()
        done = loop.create_future()
        loop.call_later(0.05, done.set_result, b"")
        assert not await hung_up_first(Client(), done)
        assert not done.cancelled()

    asyncio.run(main())

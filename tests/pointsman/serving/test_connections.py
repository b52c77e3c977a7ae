"""Crowds of connections that say nothing, on a real server with few files."""

import http.client
import resource
import socket
import subprocess
import sys
import urllib.request

import pytest

from pointsman.cli import main
from pointsman.errors import InputError
from pointsman.serving import app, connections
from pointsman.serving.connections import bound, room_for
from tests.pointsman.serving.test_bounds import ask, connect, serving

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def test_more_silent_connections_than_files_keep_nobody_out(bundle):
    # far more than the server may open, and it would wait a minute for their requests
    with serving(bundle, files=150, header_seconds=60.0) as (_, port):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(2):
            # who has asked before stays in the crowd
            client.request("GET", "/healthz")
            answer = client.getresponse()
            assert answer.status == 200
            answer.read()
            silent = [connect(port) for _ in range(400)]
            assert ask(port)[0] == 200
            # the longest silent were hung up on
            assert silent[0].recv(10) == b""
            for one in silent:
                one.close()
        client.close()


@pytest.mark.parametrize(
    ("limits", "asked", "room"),
    [
        ((1024, 1024), (1024, 1), 950),
        ((1024, 1024), (500, 1), 500),
        ((1024, 1024), (1024, 2), 475),
        # more may be had for the asking
        ((1024, 4096), (1024, 1), 1024),
        ((1024, 1 << 20), (5000, 1), 5000),
        ((1 << 20, 1 << 20), (5000, 1), 5000),
        ((64, 64), (1024, 1), 1),
    ],
)
def test_the_room_is_what_there_are_files_for(monkeypatch, limits, asked, room):
    now = [limits]
    monkeypatch.setattr(connections, "_open_files", lambda: 10)
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[0])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: now.__setitem__(0, wanted))
    assert room_for(*asked) == room
    # what was there stays, and nobody asks for more than is wanted
    assert limits[0] <= now[0][0] <= max(limits[0], 74 + asked[0] * asked[1])


def test_a_place_that_cannot_be_had_is_told_before_anything_is_loaded(bundle, capsys, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for place in (
            ["--port", port],
            ["--port", port, "--host", "localhost"],
            ["--port", "0", "--host", "192.0.2.1"],
        ):
            # there is no router in the folder: none was asked for
            assert main(["serve", "--router", str(tmp_path), *place]) == 2
            said = capsys.readouterr()
            assert said.out == ""
            assert said.err.splitlines()[-1].startswith("pointsman: can't listen at http://")
    with pytest.raises(InputError, match=r"can't listen at http://no\.such\.host\.invalid:80"):
        bound("no.such.host.invalid", 80)


def test_who_is_bound_too_but_listens_later_says_nothing(bundle, capsys, monkeypatch):
    # two servers that are started at a time are both bound, and one of them listens
    twice = bound("127.0.0.1", 0)
    monkeypatch.setattr(app, "bound", lambda host, port: twice)
    with twice[0], socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(twice[0].getsockname())
        other.listen()
        with pytest.raises(InputError, match="can't listen at"):
            app.serve(bundle, port=0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_the_first_line_says_where_it_listens(bundle, host):
    if host == "::1":
        try:
            bound(host, 0)[0].close()
        except InputError:
            pytest.skip("no IPv6 here")
    command = [sys.executable, "-m", "pointsman", "serve", "--router", str(bundle), "--host", host, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = server.stdout.readline().split()[1]
            # it listens already: nobody needs to try again
            with urllib.request.urlopen(f"{url}/healthz", timeout=30) as answer:
                assert answer.status == 200
        finally:
            server.terminate()

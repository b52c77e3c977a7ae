"""Crowds of connections that say nothing, on a real server with few files."""

import http.client
import resource

import pytest

from pointsman.serving import connections
from pointsman.serving.connections import room_for
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

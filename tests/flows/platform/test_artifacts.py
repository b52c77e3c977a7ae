"""Notes on a run's page, while the server that shows it is away."""

import http.server
import threading

import httpx

from flows.platform.artifacts import patient


def test_a_note_waits_for_a_server_that_is_started_again(operations):
    address, servers, tried = ("127.0.0.1", operations.free_port()), [], []

    @patient
    def note():
        tried.append(None)
        try:
            return httpx.get(f"http://{address[0]}:{address[1]}/", timeout=10).status_code
        except httpx.ConnectError:
            servers.append(http.server.HTTPServer(address, http.server.BaseHTTPRequestHandler))
            threading.Thread(target=servers[0].serve_forever, daemon=True).start()
            raise

    # it answers, if only that it knows no GET
    assert note() == 501
    assert len(tried) == 2
    servers[0].shutdown()
    servers[0].server_close()

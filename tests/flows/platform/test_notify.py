"""The line that tells how a run ended, in Prefect's log and at a webhook on loopback."""

import json
import logging
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_LOGGING_LEVEL, PREFECT_LOGGING_TO_API_ENABLED, PREFECT_UI_URL, temporary_settings
from prefect.states import Cancelling, Crashed, Failed
from prefect.testing.utilities import prefect_test_harness

from flows.platform.notify import notify_failure, notify_verdict, post, show_component_logs
from flows.platform.references import reference
from flows.platform.settings import prepare_environment, settings
from flows.stations.promote import Verdicted

pytestmark = pytest.mark.filterwarnings("ignore")
REPORT = {"methods": {"router": {"quality": [0.8, 0.7, 0.9]}, "best_single": {"quality": [0.6, 0.5, 0.7]}}}


class _Chat(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def chat(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), _Chat)
    server.heard, server.answer = [], 204
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/hook"
    monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", server.url)
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server():
    with (
        prefect_test_harness(server_startup_timeout=240),
        temporary_settings(
            {
                PREFECT_LOGGING_TO_API_ENABLED: True,
                PREFECT_LOGGING_LEVEL: "INFO",
                PREFECT_UI_URL: "http://127.0.0.1:4200",
            }
        ),
    ):
        yield


@pytest.fixture
def ended(tmp_path):
    (tmp_path / "report.json").write_text(json.dumps(REPORT))

    def verdict(outcome, reasons=()):
        return reference(tmp_path), Verdicted(
            verdict=outcome,
            reasons=reasons,
            router_id="ab" * 32,
            bundle=tmp_path,
            report=tmp_path / "report.html",
            run_id="r1",
            run_url="http://127.0.0.1:5000/#/experiments/1/runs/r1",
            version="3",
        )

    return verdict


def test_a_verdict_is_told_with_its_links(chat, ended, tmp_path):
    line = notify_verdict(*ended("promoted"))
    assert line.startswith("retrain promoted: router abababababab; quality 0.800")
    assert "MLflow http://127.0.0.1:5000/#/experiments/1/runs/r1" in line
    assert f"report {tmp_path / 'report.html'}" in line
    assert chat.heard == [("application/json", {"text": line, "outcome": "promoted"})]


def test_a_refusal_is_told_with_its_reasons(chat, ended):
    line = notify_verdict(*ended("refused", ("worse than the champion: -0.02, threshold -0.01",)))
    assert "the router in service stays" in line
    assert "worse than the champion" in line
    assert chat.heard[0][1]["outcome"] == "refused"


def test_by_default_nobody_is_told(ended, monkeypatch):
    monkeypatch.delenv("POINTSMAN_WEBHOOK_URL", raising=False)
    monkeypatch.setattr("httpx.stream", lambda *_, **__: pytest.fail("no address was set"))
    assert notify_verdict(*ended("promoted"))


@pytest.mark.parametrize("trouble", ["closed", "error"])
def test_a_webhook_that_is_down_is_only_logged(chat, ended, caplog, monkeypatch, trouble):
    if trouble == "closed":
        monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", "http://127.0.0.1:9/secret-token")
    chat.answer = 500
    with caplog.at_level(logging.WARNING, logger="flows.platform.notify"):
        assert notify_verdict(*ended("promoted"))
    assert "the webhook could not be called" in caplog.text
    assert "secret-token" not in caplog.text


def test_a_webhook_that_never_answers_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert "timed out" in post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {"text": "x"}, patience_s=0.3)


@pytest.fixture
def dripping():
    """Gives the address of a server that sends these bytes, and then one more whenever patience could end."""
    ended = threading.Event()

    def drip(listening, begins):
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(begins)
            while not ended.wait(0.05):
                connection.sendall(b"x")

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serving(begins):
            threading.Thread(target=drip, args=(listening, begins), daemon=True).start()
            return f"http://127.0.0.1:{listening.getsockname()[1]}/s3cret"

        yield serving
        ended.set()


def test_a_webhook_that_answers_in_drips_holds_nothing(dripping):
    url, began = dripping(b"HTTP/1.1 200 OK\r\nX-"), time.monotonic()
    assert post(url, {"text": "x"}, patience_s=0.5) == "timed out after 0.5 s"
    assert time.monotonic() - began < 10


def test_a_webhook_that_took_the_word_need_not_end_its_answer(dripping):
    url = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    assert post(url, {"text": "x"}, patience_s=20) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks..example/s3cret",
        f"http://{'s3cret' * 20}.example/",
        "http://.../s3cret",
        "http://xn--/s3cret",
        "http://127.0.0.1:9/s3cret\udcff",
        "http://127.0.0.1:s3cret/",
        "http://[s3cret/",
    ],
)
def test_an_address_that_cannot_be_used_fails_no_run_and_is_not_told(address):
    told = post(address, {"text": "x"})
    assert told
    assert "s3cret" not in told


@pytest.mark.parametrize("address", ["http://hooks..example/s3cret", "ftp://chat.example/s3cret"])
def test_an_address_that_nobody_looked_at_before_is_only_logged(ended, caplog, monkeypatch, address):
    monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", address)
    with caplog.at_level(logging.WARNING, logger="flows.platform.notify"):
        assert notify_verdict(*ended("promoted"))
    assert "the webhook could not be called: POINTSMAN_WEBHOOK_URL" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_line_that_cannot_be_encoded_fails_no_run():
    assert post("http://127.0.0.1:9/", {"text": "\udcff"})


@pytest.mark.parametrize(
    "address", ["http://hooks..example/s3cret", "https://", "http://127.0.0.1:s3cret/", "http:///s3cret"]
)
def test_an_address_without_a_usable_host_is_refused_before_a_run(monkeypatch, address):
    monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", address)
    with pytest.raises(ValueError, match="POINTSMAN_WEBHOOK_URL is no address that can be called") as refused:
        prepare_environment()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["http://[::1]:80/x", "https://bücher.example/x", "https://me:pw@chat.example:8443"]
)
def test_addresses_of_all_forms_are_webhooks(monkeypatch, address):
    monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", address)
    assert settings().webhook == address


def test_only_web_addresses_are_webhooks(monkeypatch):
    monkeypatch.setenv("POINTSMAN_WEBHOOK_URL", "file:///etc/passwd")
    with pytest.raises(ValueError, match="POINTSMAN_WEBHOOK_URL must start with http"):
        _ = settings().webhook
    with pytest.raises(ValueError, match="POINTSMAN_WEBHOOK_URL must start with http"):
        prepare_environment()


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (Failed(message="disk full\nat station train"), "failed"),
        (Crashed(message="disk full\nat station train"), "crashed"),
        (Cancelling(message="disk full\nat station train"), "cancelled"),
    ],
)
def test_whatever_ends_a_run_is_told_with_its_reason(chat, state, outcome):
    @flow(name="retrain")
    def ended():
        pass

    run = FlowRun(flow_id=uuid4(), name="quick-fox")
    with temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False, PREFECT_UI_URL: "http://127.0.0.1:4200"}):
        notify_failure(ended, run, state)
    (_, told), *more = chat.heard
    assert not more
    assert told["outcome"] == outcome
    assert told["text"].startswith(f"retrain {outcome}: disk full at station train | MLflow http")
    assert told["text"].endswith(f"Prefect http://127.0.0.1:4200/runs/flow-run/{run.id}")


def test_a_terminal_shows_no_component_chatter(monkeypatch):
    for level, shown in (("WARNING", False), ("INFO", True)):
        monkeypatch.setenv("PREFECT_LOGGING_LEVEL", level)
        show_component_logs()
        assert logging.getLogger("components.release.publish").isEnabledFor(logging.INFO) is shown
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "WARNING")
    show_component_logs()


def _logs(flow_run_id, wanted, patience_s=90):
    """Logs travel in the background."""
    deadline = time.monotonic() + patience_s
    wish = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[flow_run_id]))
    with get_client(sync_client=True) as client:
        while True:
            messages = [log.message for log in client.read_logs(log_filter=wish)]
            if any(wanted in message for message in messages) or time.monotonic() > deadline:
                return messages
            time.sleep(0.5)


@pytest.mark.slow
def test_a_failed_run_is_told_in_prefect_and_at_the_webhook(server, chat):
    known = {}

    @flow(name="retrain", on_failure=[notify_failure])
    def broken():
        known["id"] = FlowRunContext.get().flow_run.id
        raise ValueError("outcomes.parquet: quality must be in [0, 1]\nfirst in row 7")

    with pytest.raises(ValueError, match="quality"):
        broken()
    (_, told), *more = chat.heard
    assert not more
    assert told["outcome"] == "failed"
    assert told["text"].startswith("retrain failed: ")
    assert "quality must be in [0, 1] first in row 7" in told["text"]
    assert f"http://127.0.0.1:4200/runs/flow-run/{known['id']}" in told["text"]
    assert str(known["id"]) in told["text"].partition("MLflow ")[2]
    assert told["text"] in _logs(known["id"], "retrain failed")


@pytest.mark.slow
def test_what_components_log_appears_in_the_runs_log(server, monkeypatch):
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "INFO")
    known = {}

    @task
    def work():
        logging.getLogger("components.release.publish").info("router %s is in service", "ab12")

    @flow
    def talkative():
        known["id"] = FlowRunContext.get().flow_run.id
        show_component_logs()
        work()

    try:
        talkative()
        assert "router ab12 is in service" in _logs(known["id"], "in service")
    finally:
        monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "WARNING")
        show_component_logs()

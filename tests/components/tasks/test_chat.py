"""The model client against a real server on loopback: every way an endpoint answers, or doesn't."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from components.asking.client import Endpoint
from components.asking.question import AskError
from components.tasks import chat

QUICK = {"timeout_s": 2.0, "backoff_s": 0.001, "attempts": 3, "parallel": 4}


def completion(text):
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()


@contextmanager
def endpoint(answer):
    """A server that answers request n (from 0) of a question with `answer(question, n)`: status and body."""
    seen, lock = [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            question = body["messages"][0]["content"]
            with lock:
                number = sum(question == one["question"] for one in seen)
                key = self.headers["Authorization"]
                seen.append({"path": self.path, "question": question, "model": body["model"], "key": key})
            status, content = answer(question, number)
            self.send_response(status)
            if status in (302, 307):
                self.send_header("Location", content.decode())
                content = b""
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self):
            seen.append({"path": self.path, "key": self.headers["Authorization"]})
            self.send_error(405)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def config(url, **changes):
    return Endpoint(url=url, **(QUICK | changes))


def ask(questions, endpoint, cache, model="tiny"):
    return chat.ask(questions, model, endpoint, cache)


def test_answers_come_in_order_each_question_asked_once(tmp_path):
    with endpoint(lambda question, _: completion(f" {question.upper()}\n")) as (url, seen):
        found = ask(["a", "b", "a", "ü"], config(url + "/", api_key="secret"), tmp_path)
    assert found == ["A", "B", "A", "Ü"]
    assert sorted(one["question"] for one in seen) == ["a", "b", "ü"]
    assert {(one["path"], one["model"], one["key"]) for one in seen} == {
        ("/v1/chat/completions", "tiny", "Bearer secret")
    }


def test_a_known_answer_makes_no_request_and_a_model_knows_only_its_own(tmp_path):
    with endpoint(lambda question, number: completion(f"{question}{number}")) as (url, seen):
        assert ask(["a"], config(url), tmp_path) == ["a0"]
        assert ask(["a"], config(url), tmp_path) == ["a0"]
        assert len(seen) == 1
        assert ask(["a"], config(url), tmp_path, model="other") == ["a1"]
    # Not even a server is needed.
    assert ask(["a"], config(url), tmp_path) == ["a0"]


def test_a_damaged_file_counts_as_no_answer(tmp_path):
    with endpoint(lambda question, number: completion(f"{question}{number}")) as (url, _):
        ask(["a"], config(url), tmp_path)
        (file,) = tmp_path.rglob("*.json")
        for damage in ("{", "[]", '{"answer": 3}'):
            file.write_text(damage)
            assert ask(["a"], config(url), tmp_path)[0].startswith("a")
            assert json.loads(file.read_text())["question"] == "a"


def test_the_key_is_neither_kept_nor_shown(tmp_path):
    with endpoint(lambda *_: completion("x")) as (url, _):
        asked = config(url, api_key="secret-key")
        ask(["a"], asked, tmp_path)
    assert "secret-key" not in repr(asked)
    assert all(b"secret-key" not in file.read_bytes() for file in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("first", [(500, b"oops"), (429, b"slow down"), (200, b"{not json"), completion("  ")])
def test_what_may_pass_is_tried_again(tmp_path, first):
    with endpoint(lambda question, number: completion(question) if number else first) as (url, seen):
        assert ask(["a"], config(url), tmp_path) == ["a"]
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("answer", "message", "requests"),
    [
        ((503, b"down"), r"/v1: .*503.*\(3 attempts\)", 3),
        ((200, b"{not json"), r"not a chat completion: '\{not json' \(3 attempts\)", 3),
        ((200, b'{"choices": []}'), "not a chat completion", 3),
        (completion(""), "an empty answer", 3),
        ((401, b'{"error": "bad key"}'), "HTTP 401: .*the key is read from", 1),
        ((404, b"no such model"), "doesn't know the model 'tiny'", 1),
    ],
)
def test_what_does_not_pass_ends_in_a_clear_error_and_is_not_kept(tmp_path, answer, message, requests):
    with endpoint(lambda *_: answer) as (url, seen), pytest.raises(AskError, match=message):
        ask(["a"], config(url), tmp_path)
    assert len(seen) == requests
    assert not list(tmp_path.rglob("*.json"))


def test_a_server_that_never_answers_ends_in_a_timeout(tmp_path):
    release = threading.Event()

    def silent(*_):
        release.wait(20)
        return completion("late")

    with endpoint(silent) as (url, seen):
        try:
            with pytest.raises(AskError, match=r"no answer within 0\.1 s \(2 attempts\)"):
                ask(["a"], config(url, timeout_s=0.1, attempts=2), tmp_path)
        finally:
            release.set()
    assert len(seen) == 2


def test_no_server_at_all(tmp_path):
    with endpoint(lambda *_: completion("x")) as (url, _):
        pass
    with pytest.raises(AskError, match="refused"):
        ask(["a"], config(url), tmp_path)


def test_one_failure_drops_what_was_not_yet_asked_and_keeps_what_was_answered(tmp_path):
    def answer(question, _):
        return (401, b"no") if question == "bad" else completion(question)

    with endpoint(answer) as (url, seen), pytest.raises(AskError, match="401"):
        ask(["good", "bad", *(f"later{n}" for n in range(500))], config(url, parallel=1), tmp_path)
    assert [one["question"] for one in seen][:2] == ["good", "bad"]
    assert len(seen) < 500
    assert any(json.loads(file.read_text())["question"] == "good" for file in tmp_path.rglob("*.json"))


def test_a_redirect_elsewhere_is_not_given_the_key(tmp_path):
    with (
        endpoint(lambda *_: completion("unasked")) as (other, followed),
        endpoint(lambda *_: (302, (other + "/elsewhere").encode())) as (url, seen),
        pytest.raises(AskError, match="HTTP 405"),
    ):
        ask(["a"], config(url, api_key="secret"), tmp_path)
    assert seen[0]["key"] == "Bearer secret"
    assert followed == [{"path": "/v1/elsewhere", "key": None}]


def test_questions_are_asked_side_by_side(tmp_path):
    together = threading.Barrier(4)

    def answer(question, _):
        together.wait(20)  # passes only if four are on their way at once
        return completion(question)

    start = time.monotonic()
    with endpoint(answer) as (url, _):
        assert ask(list("abcd"), config(url, timeout_s=30), tmp_path) == list("abcd")
    assert time.monotonic() - start < 20

"""What was asked and answered, a line each, on disk before anything else happens: nothing is paid for twice."""

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from components.asking.question import Answer, Price, Question

UNFINISHED = "collect-plan.parquet"
"""Lies beside the journals while a purchase of answers isn't over: what it was to ask."""


class Journal:
    """An append-only file of questions' keys and answers; one process at a time.

    Lines: `begin` and `done` of a purchase, `asked` with the most it can cost, `answered`, `failed`. A purchase that
    was cut off goes on in the next run, and what it has spent counts: a call that was under way counts in full.
    """

    def __init__(self, path: Path) -> None:
        """Opens the journal, made if missing; a line that a crash tore is cut off.

        Raises:
            ValueError: another process holds it, or a line in its middle can't be read.
        """
        self.path = path
        self.answers: dict[str, Answer] = {}
        self.failures: dict[str, str] = {}
        self.spent_usd = 0.0
        """Of the purchase that was cut off; 0 where the last one was done."""
        self._under_way: dict[str, float] = {}
        self._open_purchase = False
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ValueError(f"{path}: another run is asking; wait for it, or stop it") from None
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def begin(self) -> None:
        """A purchase begins, unless one was cut off: that one goes on."""
        if not self._open_purchase:
            self._append({"kind": "begin"})
            self._open_purchase = True

    def done(self) -> None:
        """The purchase is over; the next one has a budget of its own."""
        self._append({"kind": "done"})
        self._open_purchase, self.spent_usd = False, 0.0

    def asked(self, question: Question, worst_usd: float) -> None:
        """Noted before the call is made."""
        self._append({"kind": "asked", "key": question.key, "model": question.model, "worst_usd": worst_usd})

    def answered(self, question: Question, answer: Answer) -> None:
        """Noted as soon as the answer is there."""
        self._append({"kind": "answered", "key": question.key, "model": question.model, **asdict(answer)})
        with self._lock:
            self.answers[question.key] = answer

    def failed(self, question: Question, why: str, cost_usd: float = 0.0) -> None:
        """Noted where a question has no answer: it isn't held against the budget, and may be asked again."""
        self._append({"kind": "failed", "key": question.key, "model": question.model, "why": why, "cost_usd": cost_usd})

    def forget(self) -> int:
        """Deletes the texts of all answers, whole or not at all, and keeps what they cost; how many there were."""
        self._file.seek(0)
        lines = []
        for line in self._file.read().splitlines():
            record = json.loads(line)
            if record["kind"] == "answered":
                record = record | {"text": "", "finish": "forgotten"}
            lines.append(json.dumps(record, ensure_ascii=False))
        aside = self.path.with_suffix(".aside")
        aside.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        aside.replace(self.path)
        return len(self.answers)

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            self._file.truncate(whole)
        for number, record in _records(content[:whole], self.path):
            self._take(record, number)
        self.spent_usd += sum(self._under_way.values())

    def _take(self, record: dict[str, Any], number: int) -> None:
        try:
            match record["kind"]:
                case "begin":
                    self._open_purchase = True
                    self.spent_usd, self._under_way = 0.0, {}
                case "done":
                    self._open_purchase = False
                    self.spent_usd, self._under_way = 0.0, {}
                case "asked":
                    self._under_way[record["key"]] = record["worst_usd"]
                case "failed":
                    self._under_way.pop(record["key"], None)
                    self.failures[record["key"]] = record["why"]
                    self.spent_usd += record["cost_usd"]
                case "answered":
                    self._under_way.pop(record["key"], None)
                    self.spent_usd += record["cost_usd"]
                    if record["finish"] != "forgotten":
                        fields = {name: record[name] for name in Answer.__slots__}
                        self.answers[record["key"]] = Answer(**fields)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{self.path}: line {number} isn't a journal's: {error}") from error


def _records(content: bytes, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        record: Any = None
        with contextlib.suppress(ValueError):
            record = json.loads(line)
        if not isinstance(record, dict):
            raise ValueError(f"{path}: line {number} isn't JSON; move the file away to begin anew")
        yield number, record


def cost_of(question: Question, price: Price, input_tokens: int | None, output_tokens: int | None) -> float:
    """Tokens x price; what wasn't reported counts at its worst."""
    most_in, most_out = question.most_input_tokens, question.max_output_tokens
    return price.usd(
        most_in if input_tokens is None else input_tokens, most_out if output_tokens is None else output_tokens
    )

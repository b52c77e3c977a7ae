"""A language model asked many questions at once, each once ever: answers are kept on disk."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from components.asking.client import Client, Endpoint
from components.asking.prices import ASSUMED
from components.asking.question import AskError, Hopeless, Lost, Question
from pointsman.durable import write_whole


def ask(questions: Sequence[str], model: str, endpoint: Endpoint, cache: Path) -> list[str]:
    """The model's answers, each question asked once ever: answers are filed by (model, question).

    Args:
        questions: one message each.
        model: its name at the endpoint.
        endpoint: any OpenAI-compatible one.
        cache: folder of answers, made if missing; a damaged file counts as no answer.

    Returns:
        Answers without surrounding space, in order.

    Raises:
        AskError: a question has no answer after all attempts; those not yet asked are dropped, those answered kept.
    """
    distinct = list(dict.fromkeys(questions))
    with closing(Client(endpoint)) as client, ThreadPoolExecutor(endpoint.parallel) as pool:
        waiting = [pool.submit(_answer, question, model, client, cache) for question in distinct]
        try:
            found = [one.result() for one in waiting]
        except AskError:
            client.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    answers = dict(zip(distinct, found, strict=True))
    return [answers[question] for question in questions]


def _answer(question: str, model: str, client: Client, cache: Path) -> str:
    name = hashlib.sha256(json.dumps([model, question]).encode()).hexdigest()
    path = cache / name[:2] / f"{name}.json"
    if (known := _kept(path)) is not None:
        return known
    answer = _asked(Question(model=model, messages=(("user", question),)), client)
    record = json.dumps({"model": model, "question": question, "answer": answer}, ensure_ascii=False)
    write_whole(path, lambda aside: aside.write_text(record, encoding="utf-8"))
    return answer


def _asked(question: Question, client: Client) -> str:
    """An answer with text; the client tries again what may pass without a charge, here what may have been charged."""
    attempts = client.endpoint.attempts
    for attempt in range(1, attempts + 1):
        try:
            # what a name costs isn't counted: any price will do
            if text := client.ask(question, ASSUMED).text:
                return text
            raise Lost("an empty answer")
        except Lost as error:
            if attempt == attempts:
                raise Hopeless(f"{client.endpoint.url}: {error} ({attempts} attempts)") from error
        client.pause(attempt - 1)
    raise AssertionError("attempts >= 1")


def _kept(path: Path) -> str | None:
    try:
        answer = json.loads(path.read_bytes())["answer"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return answer if isinstance(answer, str) else None

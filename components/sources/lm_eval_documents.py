"""What a sample of the lm-evaluation-harness asks, and what is right: from its document, else from what was sent."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any

from components.sources.call import RowError
from components.sources.fields import decoded, lettered, object_of, objects, plain, text_of
from components.sources.files import records
from pointsman.text.conversation import prompt_digest

_QUESTIONS = ("question", "query", "prompt", "problem", "input", "instruction", "goal", "text", "sentence", "ctx")
_PASSAGES = ("passage", "context", "article", "story", "paragraph", "premise", "sentence")
_NO_QUESTIONS = frozenset({"cause", "effect"})
"""COPA's field `question` says what is asked for; the harness words the question."""
_ONE_CHOICE = re.compile(r"(choice|option|solution|sol|ending|alternative)_?(\d+|[a-e])|(answer)_?[a-e]", re.IGNORECASE)
"""A field that holds one of several choices: `option1`, `sol2`, `answerA`; `answer1` may well be a right one."""
_INDEX = re.compile(r"-?[0-9]{1,4}")


def shared_texts(paths: Iterable[Path]) -> frozenset[str]:
    """Texts that stand for several documents of one file, which were sent with other words or have other targets."""
    shared: set[str] = set()
    for path in paths:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for row in records(path):
            text = None if row.error is not None else _text(row.content)
            if text is not None:
                found[text].setdefault(_key(row.content), _identity(row.content))
        shared |= {text for text, documents in found.items() if len(set(documents.values())) > 1}
    return frozenset(shared)


def asked_by(record: Mapping[str, Any], shared: Set[str]) -> dict[str, Any]:
    """Prompt, digest and reference of a sample, as fields of a call.

    The prompt is the document's question with its passage and choices. Where the document has none, or where `shared`
    says that other documents read alike, it is what was sent, less examples before it, with the choices weighed.

    Raises:
        RowError: neither holds a text; it is too long.
    """
    text = _text(record)
    if text is None:
        raise RowError("no question in 'doc' and no text in 'arguments'")
    if text not in shared:
        prompt = plain(text)
    else:
        # other documents may have been sent alike too, and are right otherwise
        prompt = {**plain(_as_sent(record) or text), "digest": prompt_digest([text, _key(record)])}
    return {**prompt, "reference": _reference(record, prompt["prompt"])}


def _text(record: Mapping[str, Any]) -> str | None:
    document = object_of(record, "doc")
    question = _question(document)
    if question is None:
        return _as_sent(record)
    passage = text_of(document, *_PASSAGES)
    parts = [None if passage == question else passage, question, lettered(_choices(document))]
    return "\n".join(part for part in parts if part)


def _as_sent(record: Mapping[str, Any]) -> str | None:
    document = object_of(record, "doc")
    sent = _sent(record, document)
    if sent is None:
        return None
    choices = _choices(document)
    if not choices and text_of(document, *_QUESTIONS) is not None:
        weighed = _weighed(record)
        choices = [] if all(one in sent for one in weighed) else weighed
    return "\n".join(part for part in (sent, lettered(choices)) if part)


def _question(document: Mapping[str, Any]) -> str | None:
    named = (text_of(document, name) for name in _QUESTIONS)
    return next((text for text in named if text is not None and text.strip().lower() not in _NO_QUESTIONS), None)


def _choices(document: Mapping[str, Any]) -> list[str]:
    listed = document.get("choices", document.get("options"))
    listed = listed.get("text") if isinstance(listed, dict) else listed
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        return listed
    kinds: dict[str, list[str]] = defaultdict(list)
    for name in sorted(document, key=lambda name: (len(name), name)):
        found = _ONE_CHOICE.fullmatch(name)
        if found and isinstance(document[name], str) and document[name].strip():
            kinds[(found[1] or found[3]).lower()].append(document[name])
    return next((several for several in kinds.values() if len(several) > 1), [])


def _sent(record: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    """The text that was sent, less the examples before the document: they end as it does, or begin so."""
    sent = _argument(record.get("arguments"))
    if sent is None:
        return None
    named = (text_of(document, name) for name in (*_PASSAGES, *_QUESTIONS, "hypothesis"))
    fields = [_bare(text) for text in named if text is not None and text not in _NO_QUESTIONS]
    places = [(sent.rfind(field), len(field)) for field in fields if field in sent]
    if not places:
        return sent
    start, end = min(at for at, _ in places), max(at + length for at, length in places)
    cut = sent.rfind("\n\n", 0, start) + 1
    before, after = sent[cut:start].strip(), sent[end:].strip()
    return sent[cut:].lstrip("\n") if any(mark and mark in sent[:cut] for mark in (before, after)) else sent


def _bare(text: str) -> str:
    """A text without its last stop, which harnesses take off to go on with the sentence."""
    return text.strip().rstrip(".") or text


def _argument(arguments: Any) -> str | None:
    """The text that was sent: newer logs have an object, older ones lists; of a conversation the last turn."""
    while isinstance(arguments, dict | list) and arguments:
        arguments = next(iter(arguments.values())) if isinstance(arguments, dict) else arguments[0]
    turns = [text_of(turn, "content") for turn in objects(decoded(arguments)) if turn.get("role") == "user"]
    text = next((turn for turn in reversed(turns) if turn is not None), arguments)
    return text if isinstance(text, str) and text.strip() else None


def _continuations(record: Mapping[str, Any]) -> list[str]:
    """What was weighed after each text that was sent; empty where an answer was written instead."""
    arguments = record.get("arguments")
    each = list(arguments.values()) if isinstance(arguments, dict) else arguments
    pairs = [list(one.values()) if isinstance(one, dict) else one for one in each] if isinstance(each, list) else []
    texts = [pair[1] for pair in pairs if isinstance(pair, list) and len(pair) > 1]
    whole = len(texts) == len(pairs) > 1 and all(isinstance(text, str) for text in texts)
    return [text.strip() for text in texts] if whole else []


def _weighed(record: Mapping[str, Any]) -> list[str]:
    """The choices that were weighed; empty also where several contexts were, before one continuation."""
    texts = _continuations(record)
    return texts if len(set(texts)) > 1 else []


def _reference(record: Mapping[str, Any], prompt: str) -> str | None:
    """A right answer in the prompt's terms: of choices, targets are mostly the place, from 0."""
    target = record.get("target")
    if not isinstance(target, str | int | float) or not str(target).strip():
        return None
    text, weighed, choices = str(target), _weighed(record), _choices(object_of(record, "doc"))
    if not _INDEX.fullmatch(text.strip()):
        return None if _continuations(record) and not weighed else text
    among = weighed or choices
    if not among or (not weighed and text in choices):
        return text
    place = int(text)
    if not 0 <= place < len(among):
        return None if weighed else text
    right = among[place]
    shown = next((some for some in (choices, weighed) if some and prompt.endswith(lettered(some))), [])
    if len(shown) != len(among):
        place = shown.index(right) if right in shown else len(shown)
    return chr(65 + place) if place < len(shown) else right


def _key(record: Mapping[str, Any]) -> str:
    """What tells a document, whatever was put before it."""
    return text_of(record, "doc_hash", "doc_id") or _identity(record)


def _identity(record: Mapping[str, Any]) -> str:
    sent = _sent(record, object_of(record, "doc"))
    return prompt_digest([str(part) for part in (sent, _continuations(record), record.get("target"))])

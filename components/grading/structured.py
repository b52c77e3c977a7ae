"""Patterns and JSON schemas of references, checked in time that answers can't draw out."""

import json
import re
from collections.abc import Iterator
from typing import Any

import polars as pl
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

_SCHEMA_WORDS = frozenset({"type", "properties", "$schema", "required", "anyOf", "$ref"})


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern is found in a text, in time that grows with the text's length and no faster.

    Such patterns know neither look-around nor back references (https://docs.rs/regex/latest/regex/#syntax).

    Raises:
        ValueError: it isn't such a regular expression.

    >>> matches("^o.$", "ok")
    True
    """
    # as in Python, $ stands before a line break at the end as well, and \Z is the end
    plain = re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1\\z", pattern)
    texts = pl.Series([text, text.removesuffix("\n")], dtype=pl.String)
    try:
        return bool(texts.str.contains(plain).any())
    except pl.exceptions.ComputeError as error:
        why = " ".join(str(error).split())[-160:]
        raise ValueError(
            f"reference {pattern[:80]!r} isn't a regular expression without look-around and back references: {why}"
        ) from error


def allows(reference: str, value: Any) -> bool:
    """Whether a JSON schema (draft 2020-12) allows a value. Nothing is fetched, and a value nested too deep is refused.

    Raises:
        ValueError: the reference isn't a JSON schema, or refers to one that isn't in it.
    """
    schema = schema_of(reference)
    try:
        return bool(_Validator(schema, registry=Registry()).is_valid(value))
    except Unresolvable as error:
        raise ValueError(f"reference {reference[:80]!r} refers to a schema that isn't in it: {error}") from error
    except RecursionError:
        return False


def schema_of(reference: str) -> Any:
    """The JSON schema in a reference.

    Raises:
        ValueError: it isn't one.
    """
    try:
        schema = json.loads(reference)
        Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError, RecursionError) as error:
        raise ValueError(f"reference {reference[:80]!r} isn't a JSON schema: {str(error)[:200]}") from error
    return schema


def looks_like_schema(text: str) -> bool:
    """Whether a text is a JSON object with a schema's words.

    >>> looks_like_schema('{"type": "object"}'), looks_like_schema('{"n": 3}')
    (True, False)
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(_SCHEMA_WORDS & set(value))


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})

"""The number that an answer comes to, as people and language models write numbers."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal, DecimalException

BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_PLAIN = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)])[-+])?[$€£]?(?<![\d.^_])(?P<plain>{_PLAIN})(?P<exponent>[eE][-+]?\d+)?"
    r"(?:(?:\s?\^\s?|\*\*)\{?(?P<power>[-+]?\d{1,4})\}?)?"
    r"(?:\s*(?:[x*·×]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)\s*\{?\s*(?P<ten>[-+]?\d{1,4})\}?)?"
    r"(?:\s*/\s*(?P<below>\d+(?:\.\d+)?))?(?:\s*(?P<percent>%|percent\b|per cent\b))?",
    re.IGNORECASE,
)
_MIXED = re.compile(r"(?P<whole>\d{1,3})\s+(?P<above>\d{1,3})\s*/\s*(?P<below>\d{1,3})(?![\d/])")
_MARKER = re.compile(r"\banswers?\b(?:[^.:=≈\n]|\.\d){0,80}?(?:\bis\b|\bare\b|[:=≈])", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?](?=\s|$)|\n")
_CLAUSE = re.compile(r",(?!\d)|;|\b(?:since|because|as|where|with|for|but|not|which)\b", re.IGNORECASE)
_EQUALS = re.compile(r"=|≈|\\approx\b")
_REMARK = re.compile(r"(?<!\\)\((?=[^()\n]*[A-Za-z]{2})[^()\n]*\)")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_WRITTEN: tuple[tuple[str, str], ...] = (
    ("[\u2212\ufe63\uff0d]", "-"),
    (r"\{,\}", ","),
    (r"\\%", "%"),
    (r"\\\$", "$"),
    # "- 5" is a number only where something comes to it
    (r"([=:≈]\s*)-\s+(?=[\d.])", r"\1-"),
    # a thin space between thousands, as TeX and typographers write it, or a plain one
    (r"(?<=\d)(?:\\[,;:! ]|[\u00a0\u2009\u202f'’])(?=\d{3}(?!\d))", ""),
    # "3\frac{1}{2}" is three and a half
    (r"(?<=\d)\s*(?=\\[dtc]?frac)", " "),
    (r"\\[dtc]?frac\s*\{\s*(-?[\d.,]+)\s*\}\s*\{\s*([\d.]+)\s*\}", r"\1/\2"),
    (r"\\[dtc]?frac\s*(\d)\s*(\d)", r"\1/\2"),
    # the 2 of "m^2" is no number
    (r"(?<=[A-Za-z)}\]])\^(?:\{[-+]?\d+\}|[-+]?\d+)", ""),
)
_LARGEST = 300
"""A power of ten that a float holds; a larger one is as wrong."""
_SPACED = re.compile(r"(?<![\d.,])(?<!\d )\d{1,3}(?: \d{3})+(?! ?\d)(?![/])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as it was written."""

    value: float
    whole: Decimal | None = None
    """All its digits where it was written as a whole number; None: as a fraction, a percentage or with an exponent."""
    percent: bool = False
    """Whether it was written in per cent; `value` is a hundredth of what was written."""


def final_number(text: str) -> Number | None:
    """The number that a text comes to; None: there is none.

    Read in this order: what is boxed; what the last sentence that says "answer ... is" or "answer:" says, after the
    last equals sign where there is an equation; the last number.

    >>> final_number("The answer to 2+2 is 4.").value, final_number("Answer: 6 x 7 = 42, not 9").value
    (4.0, 42.0)
    """
    text = _plainly(text)
    for place in BOXED.findall(text)[-1:]:
        if found := _said(place):
            return found
    for marker in reversed([*_MARKER.finditer(text)]):
        sentence = _SENTENCE.split(text[marker.end() :].lstrip(" \t\r\n*_#>:`$("), maxsplit=1)[0]
        if found := _said(sentence):
            return found
    # "42 (rounded to 2 decimals)": a remark in brackets is read where there is nothing else
    numbers = _numbers(_REMARK.sub(" ", text)) or _numbers(text)
    return numbers[-1] if numbers else None


def only_number(text: str) -> bool:
    """Whether a text is a number and nothing else.

    >>> only_number("$1,200.50"), only_number("3/4"), only_number("50 km")
    (True, True, False)
    """
    plain = _plainly(text.strip()).strip(" $€£")
    return bool(plain) and bool(_NUMBER.fullmatch(plain) or re.fullmatch(rf"[-+]?{_MIXED.pattern}", plain))


def _plainly(text: str) -> str:
    """The same numbers written as digits, points, commas and slashes."""
    text = re.sub(r"(?<=\d)[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    for pattern, written in _WRITTEN:
        text = re.sub(pattern, written, text)
    return _SPACED.sub(lambda found: found[0].replace(" ", ""), text)


def _said(sentence: str) -> Number | None:
    clause = _CLAUSE.split(sentence, maxsplit=1)[0]
    *before, result = _EQUALS.split(clause)
    for part in (result, clause, sentence) if before else (clause, sentence):
        if numbers := _numbers(part):
            return numbers[0]
    return None


def _numbers(text: str) -> list[Number]:
    mixed = {found.start(): found for found in _MIXED.finditer(text)}
    found: list[Number] = []
    at = 0
    while match := _NUMBER.search(text, at):
        at = match.end()
        minus = -1 if match["sign"] == "-" else 1
        if parts := mixed.get(match.start("plain")):
            at = parts.end()
            below = float(parts["below"])
            if below:
                found.append(Number(value=minus * (float(parts["whole"]) + float(parts["above"]) / below)))
                continue
        found.append(_number(match, minus))
    return found


def _number(match: re.Match[str], minus: int) -> Number:
    # by its digits: arithmetic would round it to 28 of them
    exact = Decimal(("-" if minus < 0 else "") + match["plain"].replace(",", ""))
    if match["power"]:
        exact = _power(exact, int(match["power"]))
    value = float(f"{exact}{match['exponent'] or ''}") if match["exponent"] else float(exact)
    value *= 10.0 ** min(int(match["ten"] or 0), _LARGEST)
    if match["below"]:
        below = float(match["below"])
        return Number(value=value / below if below else math.nan)
    if match["percent"]:
        return Number(value=value / 100, percent=True)
    whole = not match["exponent"] and not match["ten"] and exact == exact.to_integral_value()
    return Number(value=value, whole=exact if whole else None)


def _power(base: Decimal, exponent: int) -> Decimal:
    if base == base.to_integral_value() and 0 <= exponent <= _LARGEST and abs(base) < _LARGEST:
        return Decimal(int(base) ** exponent)
    try:
        return base**exponent
    except DecimalException:
        return Decimal("NaN")

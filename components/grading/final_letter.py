"""The letter that an answer to a multiple choice settles on."""

import re

from components.grading.final_number import BOXED

_END = r"(?!\w|['’]\w)"
_WRAP = r"(?:[\s*_\"'`(\[{$<:#]|\\(?:boxed|text(?:bf|rm|it)?|math(?:bf|rm)))*"
_CLOSED = r"(?=\W*$|[)\]}>.,:;*_\"'`$!]|\s+[-\u2013\u2014]\s)"
# "a" and "I" are words as well: they count where nothing goes on from them, a capital A also before a reason
_NAMED = (
    rf"{_WRAP}(?:(?:most|very|quite|likely|probably|clearly|therefore|thus|definitely|obviously|surely)\b{_WRAP}){{0,2}}"
    rf"(?:(?:option|choice|answer|letter)\b{_WRAP})?"
    rf"(?P<letter>[B-HJ-Z]{_END}(?!\s*=)|[b-hj]{_END}(?!\s*[=+*/^])|[AaIi]{_END}{_CLOSED}|A(?=\s+(?i:because|since|as|for)\b))"
)
_STATEMENT = re.compile(
    rf"(?:\b(?i:answer|option|choice)\b[^.\n]{{0,60}}?(?i:\b(?:is|be)\b|[:=>]|(?<=answer)[*_: \t\r]*\n)){_NAMED}"
    # of "statement A is correct" and "if A is correct" no answer follows
    r"|(?<!(?i:statement) )(?<!(?i:claim) )(?<!(?i:if) )(?<!(?i:whether) )(?<!\bor )"
    r"\b(?P<subject>[A-Z])\b[)\].*_:\"']*\s+(?:is|must be|would be)\s+"
    r"(?:(?:the|thus|clearly|therefore|indeed|definitely|only|one|single|most)\s+){0,3}[*_]*"
    r"(?:correct|right|best|answer)\b"
)
_FINAL = re.compile(rf"(?i:\bfinal\s+(?:answer|option|choice)\b)[^.\n]{{0,60}}?(?i:\b(?:is|be)\b|[:=>]){_NAMED}")
_LAST_LINE = re.compile(
    rf"[\W_]*(?:(?i:the|my|so|therefore|thus|hence|correct|best)\b[\s,]*){{0,4}}(?i:answer)\s*(?i:is|[:=]){_NAMED}[\W_]*"
)
_LEADING = re.compile(
    r"[\s*_(\[\"'`$#]*(?:(?P<letter>[A-Za-z])(?:[)\].:*_\"`$]|'(?!\w)|\s*$|\n)"
    r"|(?P<capital>[A-HJ-Z])(?:,(?!\s*(?:[A-Z]\b|and\b|or\b))|\s+[-\u2013\u2014]\s|\s+is\b(?!\s+(?:not|wrong|incorrect|false|tempting|out)\b)))"
)
_ALONE = re.compile(
    rf"(?<![\w'’])(?:[B-HJ-Z](?![\w'’])(?!\s+(?:is|are|was)\s+\w)|[AI](?![\w'’])(?=\W*$|[)\]*])|A{_CLOSED}(?![\w'’]))"
)


def final_letter(answer: str) -> str | None:
    """The letter of the option that an answer settles on, a capital; None: it settles on none.

    Read in this order: what is boxed; what is announced as the final answer, or is all that the last line says; the
    first "the answer is ..." or "... is correct", for what follows it speaks of the others; a letter at the beginning;
    the last letter that stands alone.

    >>> final_letter("The answer is C. I hope this helps."), final_letter("C, because A is wrong."), final_letter("c")
    ('C', 'C', 'C')
    """
    answer = answer.strip()
    for boxed in BOXED.findall(answer)[-1:]:
        if found := re.match(_NAMED, boxed):
            return found["letter"].upper()
    if final := [*_FINAL.finditer(answer)]:
        return final[-1]["letter"].upper()
    if found := _LAST_LINE.fullmatch(answer.rpartition("\n")[2]):
        return found["letter"].upper()
    if found := _STATEMENT.search(answer):
        return (found["letter"] or found["subject"]).upper()
    if found := _LEADING.match(answer):
        return (found["letter"] or found["capital"]).upper()
    letters: list[str] = _ALONE.findall(answer)
    return letters[-1] if letters else None

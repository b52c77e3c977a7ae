"""Documents stay true: every relative link leads somewhere, every command parses, the README stays short."""

import re
import shlex
from pathlib import Path

import pytest

from pointsman.cli import _parser

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data" / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("infra/**/*.md"), DATA])
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
COMMAND = re.compile(r"^ {4,}(?:\w+=\S+ )*(?:\.venv/bin/)?pointsman ([a-z].*)$", re.MULTILINE)


def anchors(document):
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands():
    for document in DOCUMENTS:
        for text in COMMAND.findall(document.read_text(encoding="utf-8")):
            yield pytest.param(text, id=f"{document.name}: {text.split('  ')[0][:60]}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), f"{document.name} links to {target}"
        assert not anchor or anchor in anchors(found), f"{document.name} links to {target}{anchor}"


@pytest.mark.parametrize("text", commands())
def test_commands_parse(text):
    plain = re.sub(r"\s#.*$", "", text).replace("[", " ").replace("]", " ").replace("...", " ")
    plain = re.split(r"\s(?:&&|\|\||>|\||;)\s", plain)[0]
    words = [word.split("|")[0] for word in shlex.split(plain)]
    # a placeholder for a number is a capital letter or two
    _parser().parse_args(["1" if re.fullmatch(r"[A-Z]{1,2}", word) and word != "ID" else word for word in words])


def test_the_readme_is_short():
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 150

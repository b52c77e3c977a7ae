"""Documents stay true: every relative link leads somewhere, every command parses, and those marked runnable run."""

import ast
import os
import re
import shlex
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from pointsman.cli import _parser
from tests.fixtures.reader import put_in_service, write_files, write_ungraded
from tests.fixtures.tiny_router import parts

__all__ = ["parts"]

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data" / "README.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("infra/**/*.md"), DATA])
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
COMMAND = re.compile(r"^ {4,}(?:\w+=\S+ )*(?:\.venv/bin/)?pointsman ([a-z].*)$", re.MULTILINE)


SECRET = re.compile(
    r"\$[{(]?(POINTSMAN_(DATABASE|PASSWORD|DASHBOARD_PASSWORD|SERVE_TOKEN|LLM_KEY|WEBHOOK_URL)|OPENAI_API_KEY|PGPASSWORD"
    r"|MLFLOW_BACKEND_STORE_URI|PREFECT_API_DATABASE_CONNECTION_URL|AWS_SECRET_ACCESS_KEY)"
)


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
    plain = re.split(r"\s(?:&&?|\|\|?|>|;)(?:\s|$)", plain)[0]
    words = [word.split("|")[0] for word in shlex.split(plain)]
    # a placeholder for a number is a capital letter or two
    _parser().parse_args(["1" if re.fullmatch(r"[A-Z]{1,2}", word) and word != "ID" else word for word in words])


def started(node, within=False):
    """The words of every command in a Compose file or a manifest."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from started(value, within or name in ("command", "args", "entrypoint", "test", "exec"))
    elif isinstance(node, list):
        for value in node:
            yield from started(value, within)
    elif within:
        yield str(node)


def test_attack_13_no_secret_is_on_a_command_line():
    """What a shell puts in place of such a name can be read by everybody on the machine."""
    assert SECRET.search('pg_dump "$POINTSMAN_DATABASE"')
    for document in [*DOCUMENTS, ROOT / "Makefile"]:
        assert not SECRET.search(document.read_text(encoding="utf-8")), document
    words = [
        word
        for path in sorted(ROOT.glob("infra/**/*.yaml"))
        for part in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        for word in started(part)
    ]
    assert "pg_isready" in words
    assert not [word for word in words if SECRET.search(word)]


def named_tests(text):
    """(file, name, whether it is said to be slow) of every test in the table of attacks."""
    table = text.partition("## Each attack")[2].partition("\n## ")[0]
    for part in re.split(r"; |\| ", table):
        file = re.search(r"`([\w/]+\.py)`", part)
        if file:
            for name, star in re.findall(r"`(test_\w+)`?(\*?)", part[file.end() :]):
                yield file[1], name, bool(star)


def marked(file):
    """Names of a file's tests; whether each is slow, or needs a browser."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    whole = any(isinstance(node, ast.Assign) and "mark.slow" in ast.unparse(node) for node in tree.body)
    return {
        node.name: whole or any(re.search("mark.(slow|browser)", ast.unparse(d)) for d in node.decorator_list)
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def test_every_attack_names_tests_that_are_there():
    found = list(named_tests((ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
    assert len(found) > 60
    files = {file: marked(file) for file, _, _ in found}
    wrong = [(file, name) for file, name, star in found if files[file].get(name) is not star]
    assert not wrong


def test_the_readme_is_short():
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 150


RUNNABLE = re.compile(
    r"^<!-- runnable(?:: (python|slow))? -->\n\n((?:    .*\n|\n(?=    ))+|```\n(?:.*\n)*?```\n)", re.MULTILINE
)
SPOKEN_OF = {"README.md", "grades.md", "logs.md", "operations.md", "serving.md"}
"""Documents that show commands which a bare checkout can run."""


@dataclass(frozen=True)
class Block:
    """Commands of a document that a reader can run as they stand."""

    kind: str
    """python, slow (minutes) or nothing."""
    code: str


def runnable(document):
    text = document.read_text(encoding="utf-8")
    found = [Block(kind=kind, code=plain_code(code)) for kind, code in RUNNABLE.findall(text)]
    # a mark that stands over nothing would hide a block from the test
    assert len(found) == len(re.findall("^<!-- runnable", text, re.MULTILINE)), document
    return found


def plain_code(block):
    return "\n".join(line for line in textwrap.dedent(block).splitlines() if line != "```") + "\n"


def script(blocks, folder, port):
    """The blocks as one script, each named by its place where it fails."""
    lines = ["set -e", "trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT"]
    for place, block in enumerate(blocks):
        # 8080 may be taken on the machine that runs the tests
        code = block.code.replace("8080", str(port))
        if block.kind == "python":
            (folder / f"block-{place}.py").write_text(code, encoding="utf-8")
            code = f"python block-{place}.py\n"
        lines += [f"echo '--- block {place + 1} of {len(blocks)}'", code]
    return "\n".join(lines)


def follow(document, folder, slow):
    """Runs what a document shows in a folder of its own, and returns what was printed."""
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name, arguments in (("python", ""), ("pointsman", " -m pointsman")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable}{arguments} "$@"\n', encoding="utf-8")
        (tools / name).chmod(0o755)
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    path = os.pathsep.join([str(tools), clean.get("PATH", os.defpath)])
    environment = {**clean, "PATH": path, "PYTHONPATH": str(ROOT), "POINTSMAN_HOME": str(folder)}
    # curl's progress would hide what failed
    (folder / ".curlrc").write_text("silent\nshow-error\n", encoding="utf-8")
    environment["CURL_HOME"] = str(folder)
    blocks = [block for block in runnable(document) if slow or block.kind != "slow"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ran = subprocess.run(
        ["bash", "-c", script(blocks, folder, port)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def followed():
    """Documents with blocks that run; once more with those that take long, the README apart: it has its own test."""
    for document in DOCUMENTS:
        kinds = [block.kind for block in runnable(document)]
        if set(kinds) - {"slow"}:
            yield pytest.param(document, False, id=document.name)
        if "slow" in kinds and document.name != "README.md":
            yield pytest.param(document, True, id=f"{document.name}, all", marks=pytest.mark.slow)


@pytest.mark.parametrize(("document", "slow"), followed())
def test_commands_run_as_they_stand(document, slow, parts, tmp_path):
    """In order, where logs are at hand and a router is in service."""
    write_files(tmp_path)
    put_in_service(tmp_path, parts)
    if document.name == "grades.md":
        write_ungraded(tmp_path / "data" / "logs")
    assert "Traceback" not in follow(document, tmp_path, slow)


@pytest.mark.slow
def test_the_readme_leads_from_a_log_to_decisions(tmp_path):
    """From a folder with nothing but a log: what is in service is what the commands before have trained."""
    write_files(tmp_path, prompts=1000)
    said = follow(ROOT / "README.md", tmp_path, slow=True)
    assert "verdict: promoted" in said
    assert "20 decisions written to decisions.csv" in said


def test_commands_that_can_be_run_are_marked():
    assert {document.name for document in DOCUMENTS if runnable(document)} >= SPOKEN_OF

"""The locks name every package with its digests, and what installs from them takes nothing else (attack 13)."""

import json
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {name: ROOT / f"requirements{name}.lock" for name in ("", "-build", "-cpu", "-cuda", "-serving")}
EXTRAS = {"": ("train", "postgres", "dev"), "-serving": ("serve", "signing")}


def entries(lock):
    """Each entry's requirement and digests."""
    text = re.sub(r"\\\n\s*", "", lock.read_text())
    for line in text.splitlines():
        required, *digests = line.split("--hash=")
        yield Requirement(required.strip()), [digest.strip() for digest in digests]


def needed(requirement, extras):
    """Names of all that a requirement pulls in here, from what the installed packages say of themselves."""
    todo, seen = [(requirement, frozenset(extras))], set()
    while todo:
        name, wanted = todo.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for text in metadata.requires(name) or ():
            inner = Requirement(text)
            if inner.marker is None or any(inner.marker.evaluate({"extra": extra}) for extra in (*wanted, "")):
                todo.append((canonicalize_name(inner.name), frozenset(inner.extras)))
    return {name for name, _ in seen} - {requirement}


@pytest.mark.parametrize("name", LOCKS)
def test_attack_13_every_entry_is_one_version_with_digests(name):
    found = list(entries(LOCKS[name]))
    assert len(found) == 1 if name == "-cpu" else len(found) > 5
    for requirement, digests in found:
        assert [one.operator for one in requirement.specifier] == ["=="], requirement
        assert digests, requirement
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in digests), requirement


@pytest.mark.parametrize("name", EXTRAS)
def test_the_locks_are_complete_and_what_is_installed(name):
    locked = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one, _ in entries(LOCKS[name])}
    missing = needed("pointsman", EXTRAS[name]) - set(locked)
    # in a lock of its own for each of its builds
    assert missing <= {"torch"}
    installed = {package: metadata.version(package) for package in needed("pointsman", EXTRAS[name]) - missing}
    assert {package: locked[package] for package in installed} == installed


def test_the_locks_agree_with_each_other():
    whole = {one.name: one.specifier for one, _ in entries(LOCKS[""])}
    building = {one.name: one.specifier for one, _ in entries(LOCKS["-build"])}
    assert {name: building[name] for name in building if name in whole}.items() <= whole.items()
    serving = {one.name: one.specifier for one, _ in entries(LOCKS["-serving"])}
    cuda = {one.name: one.specifier for one, _ in entries(LOCKS["-cuda"])}
    assert serving.items() <= whole.items()
    (processor,) = entries(LOCKS["-cpu"])
    assert str(processor[0].specifier) == f"{cuda.pop('torch')}+cpu"
    assert metadata.version("torch").partition("+")[0] in str(processor[0].specifier)
    only_cuda = set(cuda) - set(whole)
    assert {name: cuda[name] for name in cuda if name in whole}.items() <= whole.items()
    assert all(name.startswith(("nvidia-", "cuda-", "triton")) for name in only_cuda), only_cuda


@pytest.mark.parametrize("file", ["Makefile", "infra/Dockerfile", "infra/Dockerfile.serving"])
def test_attack_13_everything_is_installed_by_digest(file):
    if file == "Makefile":
        make = ["make", "--dry-run", "--always-make", ".venv/.ready"]
        text = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    else:
        text = (ROOT / file).read_text().replace("\\\n", " ")
    installs = re.findall(r"pip[^|\n]* install (.+)$", text, re.MULTILINE)
    assert len(installs) >= 2
    for options in installs:
        assert "--no-deps" in options, options
        if options.split()[-1] == ".":
            assert "--no-build-isolation" in options, options
        elif "--no-index" not in options:
            assert "--require-hashes" in options, options


def test_attack_13_a_package_with_other_content_is_refused(tmp_path):
    requirement, _ = next(entry for entry in entries(LOCKS[""]) if entry[0].name == "toolz")
    version = str(requirement.specifier).removeprefix("==")
    wheel = tmp_path / f"toolz-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("toolz/__init__.py", "import os; os.system('id')\n")
        archive.writestr(
            f"toolz-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: toolz\nVersion: {version}\n"
        )
        archive.writestr(
            f"toolz-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"toolz-{version}.dist-info/RECORD", "")
    locked = re.search(r"^toolz==(?:.*\\\n)*.*$", LOCKS[""].read_text(), re.MULTILINE)[0]
    (tmp_path / "toolz.lock").write_text(locked + "\n")
    options = re.search("^LOCKED := install (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    target = ["--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "to")]
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, *target, "-r", str(tmp_path / "toolz.lock")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "DO NOT MATCH THE HASHES" in ran.stderr
    assert not (tmp_path / "to").exists()


@pytest.mark.slow
def test_the_list_of_what_is_installed_names_what_is_locked(tmp_path):
    # an environment of its own for the tool: some seconds, and a package registry
    made = subprocess.run(["make", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    listed = json.loads((ROOT / "sbom.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    versions = {canonicalize_name(one["name"]): one["version"] for one in listed["components"]}
    locked = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one, _ in entries(LOCKS[""])}
    here = {package: version for package, version in locked.items() if package in needed("pointsman", EXTRAS[""])}
    assert here.items() <= versions.items()
    # named by the tool as a project, not as a component
    assert "pointsman" in {canonicalize_name(listed["metadata"].get("component", {}).get("name", "")), *versions}

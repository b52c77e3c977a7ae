"""Each deployment file against the schema of what will read it, by the public validators (extra `infra`)."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

INFRA = Path(__file__).parents[2] / "infra"
MANIFESTS = sorted(path for path in (INFRA / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")


def check(program, *arguments):
    found = shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)
    if found is None:
        pytest.skip(f"skipped: {program} isn't installed (pip install 'pointsman[infra]')")
    ran = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.serving"])
def test_hadolint_finds_nothing_in_the_dockerfiles(name):
    assert check("hadolint", INFRA / name) == (0, "")


def test_compose_is_what_the_specification_allows():
    code, said = check("check-jsonschema", "--builtin-schema", "vendor.compose-spec", INFRA / "compose.yaml")
    assert code == 0, said


def test_a_wrong_compose_file_would_be_noticed(tmp_path):
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((INFRA / "compose.yaml").read_text().replace("restart: unless-stopped", "restrat: always", 1))
    assert check("check-jsonschema", "--builtin-schema", "vendor.compose-spec", wrong)[0] == 1


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_kubernetes_knows_every_field(manifest):
    code, said = check("kubernetes-validate", "--strict", manifest)
    assert code == 0, said
    assert "passed for resource" in said


def test_a_wrong_manifest_would_be_noticed(tmp_path):
    wrong = tmp_path / "serving.yaml"
    wrong.write_text((INFRA / "kubernetes" / "serving.yaml").read_text().replace("readinessProbe:", "readynessProbe:"))
    assert check("kubernetes-validate", "--strict", wrong)[0] != 0

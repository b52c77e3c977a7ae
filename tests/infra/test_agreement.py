"""Deployment files agree with the code that they start, and with each other."""

import re
from pathlib import Path

import pytest
import yaml

from flows.platform import paths
from flows.platform.deployments import POOL
from pointsman.cli import _parser

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
COMPOSE = yaml.safe_load((INFRA / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("pointsman")}
NUMBER = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE).group(1)
KUSTOMIZATION = yaml.safe_load((INFRA / "kubernetes" / "kustomization.yaml").read_text())
OBJECTS = [
    thing
    for name in KUSTOMIZATION["resources"]
    for thing in yaml.safe_load_all((INFRA / "kubernetes" / name).read_text())
]
PODS = {
    thing["metadata"]["name"]: thing["spec"]["template"]["spec"]
    for thing in OBJECTS
    if thing["kind"] in {"Deployment", "StatefulSet"}
}
CONTAINERS = {
    f"{pod}/{container['name']}": container
    for pod, spec in PODS.items()
    for container in [*spec.get("initContainers", []), *spec["containers"]]
}


def read_by_settings():
    source = "".join(
        (ROOT / path).read_text()
        for path in ("flows/platform/settings.py", "pointsman/commands.py", "pointsman/home.py")
    )
    return set(re.findall(r'"(POINTSMAN_[A-Z_]+)"', source))


def test_every_setting_is_in_the_readmes_table_and_nothing_else_is():
    rows = re.findall(r"^\| `(POINTSMAN_[A-Z_]+)`", (INFRA / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(read_by_settings())


def test_files_set_only_what_settings_read():
    given = {name for service in OURS.values() for name in service.get("environment", {})}
    given |= {entry["name"] for container in CONTAINERS.values() for entry in container.get("env", [])}
    ours = {name for name in given if name.startswith("POINTSMAN")}
    assert {"POINTSMAN_DATABASE", "POINTSMAN_MLFLOW_URI"} <= ours <= read_by_settings()


def test_images_carry_the_version():
    tags = {service["image"] for service in OURS.values()}
    assert tags == {f"pointsman:{NUMBER}", f"pointsman-serving:{NUMBER}"}
    assert {f"{image['name']}:{image['newTag']}" for image in KUSTOMIZATION["images"]} == tags
    others = {c["image"] for c in CONTAINERS.values()} - {image["name"] for image in KUSTOMIZATION["images"]}
    assert others == {COMPOSE["services"]["postgres"]["image"]}


def test_attack_13_images_from_elsewhere_are_named_by_digest():
    bases = [
        line.split()[1]
        for name in ("Dockerfile", "Dockerfile.serving")
        for line in (INFRA / name).read_text().splitlines()
        if line.startswith("FROM ")
    ]
    images = {container["image"] for container in CONTAINERS.values()}
    images |= {service["image"] for service in COMPOSE["services"].values()}
    others = {image for image in images if not image.startswith("pointsman")}
    assert len(bases) == 4
    assert len(others) == 1
    for image in {*bases, *others}:
        assert re.fullmatch(r"[a-z]+:[\w.-]+@sha256:[0-9a-f]{64}", image), image


def test_nothing_of_ours_runs_as_root():
    for name in ("Dockerfile", "Dockerfile.serving"):
        final = (INFRA / name).read_text().rpartition("\nFROM ")[2]
        users = re.findall(r"^USER (\S+)", final, re.MULTILINE)
        assert users == ["10001:10001"], name
        assert f"--uid {users[0].partition(':')[0]}" in final
    for name, pod in PODS.items():
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["runAsUser"] > 0, name
    for name, container in CONTAINERS.items():
        locked = container["securityContext"]
        assert locked == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_every_container_has_limits_and_what_stays_up_has_probes():
    for name, container in CONTAINERS.items():
        assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name
    for pod in PODS.values():
        for container in pod["containers"]:
            assert "livenessProbe" in container
            assert "readinessProbe" in container or pod is PODS["worker"]


def test_mounts_selectors_and_ports_name_things_that_are_there():
    claims = {thing["metadata"]["name"] for thing in OBJECTS if thing["kind"] == "PersistentVolumeClaim"}
    for thing in OBJECTS:
        if thing["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        pod, labels = thing["spec"]["template"]["spec"], thing["spec"]["template"]["metadata"]["labels"]
        assert thing["spec"]["selector"]["matchLabels"].items() <= labels.items()
        volumes = {volume["name"] for volume in pod["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])}
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        for volume in pod["volumes"]:
            assert volume.get("persistentVolumeClaim", {}).get("claimName", "home") in claims
    for service in (thing for thing in OBJECTS if thing["kind"] == "Service"):
        pod = PODS[service["spec"]["selector"]["app.kubernetes.io/name"]]
        named = {port["name"] for container in pod["containers"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named


@pytest.mark.parametrize("found", ["compose", "kubernetes"])
def test_both_start_the_same_commands(found):
    if found == "compose":
        commands = {name: service.get("command", []) for name, service in OURS.items()}
    else:
        commands = {name.rpartition("/")[2]: c["args"] for name, c in CONTAINERS.items() if "args" in c}
    pool = ["--pool", POOL, "--type", "process"]
    assert " ".join(pool) in " ".join(commands["worker"])
    assert commands["deploy"] == ["python", "-m", "flows.platform.deployments", "deploy"]
    assert commands["prefect"][:3] == ["prefect", "server", "start"]
    assert commands["mlflow"][:2] == ["mlflow", "server"]
    serving = (INFRA / "Dockerfile.serving").read_text()
    entry = re.findall(r'"([^"]+)"', re.search("^ENTRYPOINT (.+)$", serving, re.MULTILINE).group(1))
    default = re.findall(r'"([^"]+)"', re.search("^CMD (.+)$", serving, re.MULTILINE).group(1))
    assert entry[0] == "pointsman"
    options = _parser().parse_args([*entry[1:], *(commands["serving"] or default)])
    assert (options.host, options.port) == ("0.0.0.0", 8080)
    assert options.router.relative_to("/var/lib/pointsman") == paths.published().relative_to(paths.home())


def test_attack_1_serving_reaches_neither_dashboard_nor_their_database():
    services = COMPOSE["services"]
    inside = {name: set(service["networks"]) for name, service in services.items()}
    assert inside.pop("serving") == {"serving"}
    assert all(networks == {"training"} for networks in inside.values())
    policies = {thing["metadata"]["name"]: thing["spec"] for thing in OBJECTS if thing["kind"] == "NetworkPolicy"}
    assert policies["nothing-unless-allowed"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    allowed = [
        str(source)
        for name in ("dashboards", "database")
        for rule in policies[name]["ingress"]
        for source in rule["from"]
    ]
    assert allowed
    assert not any("serving" in source for source in allowed)
    assert policies["serving"]["egress"] == []
    assert policies["serving"]["policyTypes"] == ["Ingress", "Egress"]


def test_attack_1_both_dashboards_ask_for_a_password_and_know_their_names():
    for name in ("prefect", "mlflow"):
        (container,) = PODS[name]["containers"]
        given = {entry["name"]: entry.get("value") for entry in container["env"]}
        compose = OURS[name]["environment"]
        for variables in (given, compose):
            assert "POINTSMAN_DASHBOARD_PASSWORD" in variables
            hosts = variables["POINTSMAN_ALLOWED_HOSTS"].split(",")
            assert hosts[0].startswith(f"{name}:")
            assert all(host.rpartition(":")[0] in {name, "127.0.0.1", "localhost"} for host in hosts)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            (header,) = container[probe]["httpGet"]["httpHeaders"]
            assert header["name"] == "Host"
            assert header["value"] in given["POINTSMAN_ALLOWED_HOSTS"].split(",")


def test_the_images_get_every_file_that_they_copy():
    allowed = (ROOT / ".dockerignore").read_text().split()
    assert allowed[0] == "*"
    for name in ("Dockerfile", "Dockerfile.serving"):
        for line in re.findall(r"^COPY (?!--from)(.+)$", (INFRA / name).read_text(), re.MULTILINE):
            for source in line.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in allowed, source


def test_the_readme_names_no_file_that_is_not_there():
    for link in re.findall(r"`((?:infra|flows|tests)/[\w./-]+)`", (INFRA / "README.md").read_text()):
        assert (ROOT / link).exists(), link

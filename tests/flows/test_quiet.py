"""A retrain talks to nobody: every attempt to leave the machine is recorded and refused, in each of its processes."""

import json
import os
import shutil
import subprocess
import sys

import pytest

# Python imports sitecustomize at start, so that the hook is in the flow, in Prefect's own server and in their children.
HOOK = """
import os, sys

def _local(host):
    host = host.decode() if isinstance(host, bytes) else host
    # an empty host and None are this machine
    return host in (None, "", "localhost", "0.0.0.0", "::", "::1") or str(host).startswith(("127.", "::ffff:127."))

def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if not _local(host):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {host!r} by {' '.join(sys.orig_argv)[:300]}\\n")
        raise OSError(f"no network in this test: {event} {host!r}")

sys.addaudithook(_watch)
with open(os.environ["WATCHED"], "a") as file:
    file.write(f"{os.getpid()}\\n")
"""
RETRAIN = "from pointsman.cli import main; raise SystemExit(main(['retrain', '--preset', 'smoke']))"


@pytest.fixture
def watched(tmp_path):
    """The environment of a process that can't leave the machine, and the record of what tried."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(HOOK)
    attempts, seen = tmp_path / "attempts", tmp_path / "watched"
    attempts.touch()
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("PREFECT", "MLFLOW", "POINTSMAN"))}
    environment |= {
        "POINTSMAN_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(tmp_path / "hook"),
        "ATTEMPTS": str(attempts),
        "WATCHED": str(seen),
    }
    (tmp_path / "home").mkdir()
    return environment, attempts, seen


def alone(*command):
    """The command in a network of its own, nothing but loopback, where the kernel lets an ordinary user have one."""
    apart = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if shutil.which("unshare") and shutil.which("ip"):
        tried = subprocess.run([*apart, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return [*apart, *command]
    return list(command)


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import socket; socket.getaddrinfo('example.org', 443)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "import urllib.request; urllib.request.urlopen('http://example.org')",
    ],
)
def test_the_watch_sees_an_attempt(watched, attempt):
    environment, attempts, _ = watched
    tried = subprocess.run([sys.executable, "-c", attempt], env=environment, capture_output=True, check=False)
    assert tried.returncode != 0
    assert b"no network in this test" in tried.stderr
    assert attempts.read_text().count("\n") >= 1


@pytest.mark.slow
def test_a_retrain_attempts_no_connection(watched, tmp_path):
    environment, attempts, seen = watched
    command = alone(sys.executable, "-c", RETRAIN)
    ran = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=3000, check=False
    )
    assert ran.returncode in {0, 1}, ran.stderr[-3000:]
    assert attempts.read_text() == ""
    # the flow's process and the Prefect server that it started
    assert len(set(seen.read_text().split())) >= 2
    (report,) = (tmp_path / "home" / "data" / "reports").glob("*/report.html")
    assert report.stat().st_size > 0
    bundles = list((tmp_path / "home" / "data" / "bundles").glob("*/manifest.json"))
    assert len(bundles) == 1
    assert json.loads(bundles[0].read_text())["router_id"] == bundles[0].parent.name

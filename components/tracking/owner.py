"""Which process a record belongs to, so that another can tell whether its maker still lives."""

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process, told apart from a later one with the same id by the moment it started."""

    host: str
    """Name of the machine or container, and its process namespace where there is such a thing."""
    pid: int
    started: str
    """The moment of its start, in the machine's own words; the same for as long as it lives."""

    def __str__(self) -> str:
        return f"{self.host} {self.pid} {self.started}"

    @property
    def alive(self) -> bool | None:
        """Whether it still runs; None: it is on another machine, so that nobody can tell from here."""
        return process_start(self.pid) == self.started if self.host == _host() else None


def this_process() -> Owner:
    """The process that asks."""
    return _running(os.getpid())


def parent_process() -> Owner:
    """The process that started the one that asks."""
    return _running(os.getppid())


def parse_owner(text: str) -> Owner | None:
    """An owner from its text; None: it isn't one.

    >>> parse_owner("machine 12 boot/345")
    Owner(host='machine', pid=12, started='boot/345')
    >>> parse_owner("somebody")
    """
    match text.split(" ", 2):
        case [host, pid, started] if pid.isdigit():
            return Owner(host=host, pid=int(pid), started=started)
        case _:
            return None


def process_start(pid: int) -> str | None:
    """When a process started: boot and clock tick on Linux, a date elsewhere; None: there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None  # noqa: S603
    try:
        # the name, in parentheses, may hold spaces and parentheses
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, tick = fields[0], fields[19]
    return None if state in "ZX" else f"{_boot()}/{tick}"


def _running(pid: int) -> Owner:
    return Owner(host=_host(), pid=pid, started=process_start(pid) or "")


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _host() -> str:
    namespace = Path("/proc/self/ns/pid")
    return platform.node().replace(" ", "-") + (f"/{os.readlink(namespace)}" if namespace.exists() else "")
